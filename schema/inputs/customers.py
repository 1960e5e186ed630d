"""Inputs of the mutations about customers."""

import strawberry

from schema.inputs.idempotency import idempotency_key


@strawberry.input(description="A new customer. All fields are optional.")
class CustomerCreateInput:
    external_id: str | None = strawberry.field(
        default=None,
        description="Your own id for the customer, unique in the organization: 1 to 256 "
        "characters. If events have already created the customer, the other fields are "
        "added to it.",
    )
    name: str | None = strawberry.field(default=None, description="The name: 1 to 256 characters.")
    email: str | None = strawberry.field(
        default=None, description="The email address: 1 to 320 characters."
    )
    idempotency_key: str | None = idempotency_key()


@strawberry.input(
    description="Changes to a customer. A field that is left out keeps its value; null removes it."
)
class CustomerUpdateInput:
    id: strawberry.ID = strawberry.field(description="The customer's id.")
    external_id: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="Your own id for the customer, unique in the organization: 1 to 256 "
        "characters.",
    )
    name: str | None = strawberry.field(
        default=strawberry.UNSET, description="The name: 1 to 256 characters."
    )
    email: str | None = strawberry.field(
        default=strawberry.UNSET, description="The email address: 1 to 320 characters."
    )


@strawberry.input(
    description="The customer to erase. Give exactly one of id and externalCustomerId."
)
class CustomerEraseInput:
    id: strawberry.ID | None = strawberry.field(
        default=None, description="The customer's id in Metergraph."
    )
    external_customer_id: str | None = strawberry.field(
        default=None, description="Your own id for the customer."
    )
    idempotency_key: str | None = idempotency_key()


@strawberry.input(
    description="The customer whose session to open. Give exactly one of customerId and "
    "externalCustomerId."
)
class CustomerSessionCreateInput:
    customer_id: strawberry.ID | None = strawberry.field(
        default=None, description="The customer's id in Metergraph."
    )
    external_customer_id: str | None = strawberry.field(
        default=None, description="Your own id for the customer."
    )
    minutes: int | None = strawberry.field(
        default=None,
        description="How long the session lasts, in minutes: 1 to 10,080, which is a week. By "
        "default, an hour, unless the server is configured otherwise.",
    )


@strawberry.input(
    description="The sessions to end. Give exactly one of customerId, externalCustomerId and token."
)
class CustomerSessionRevokeInput:
    customer_id: strawberry.ID | None = strawberry.field(
        default=None, description="Ends all sessions of the customer with this id in Metergraph."
    )
    external_customer_id: str | None = strawberry.field(
        default=None, description="Ends all sessions of the customer with this id of yours."
    )
    token: str | None = strawberry.field(
        default=None, description="Ends the session with this bearer token."
    )

"""Inputs of the mutations about customers."""

import strawberry

from schema.inputs.idempotency import idempotency_key


@strawberry.input(description="A new customer. Everything may be left out.")
class CustomerCreateInput:
    external_id: str | None = strawberry.field(
        default=None,
        description="Your own id of it, unique in the organization: 1 to 256 characters. If events "
        "created this customer already, the rest is filled in.",
    )
    name: str | None = strawberry.field(
        default=None, description="What people call it: 1 to 256 characters."
    )
    email: str | None = strawberry.field(
        default=None, description="Where it gets mail: 1 to 320 characters."
    )
    idempotency_key: str | None = idempotency_key()


@strawberry.input(
    description="Changes of a customer: what is left out stays, null takes a value away."
)
class CustomerUpdateInput:
    id: strawberry.ID = strawberry.field(description="Which customer.")
    external_id: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="Your own id of it, unique in the organization: 1 to 256 characters.",
    )
    name: str | None = strawberry.field(
        default=strawberry.UNSET, description="What people call it: 1 to 256 characters."
    )
    email: str | None = strawberry.field(
        default=strawberry.UNSET, description="Where it gets mail: 1 to 320 characters."
    )


@strawberry.input(
    description="Whose session to open. Exactly one of customerId and externalCustomerId."
)
class CustomerSessionCreateInput:
    customer_id: strawberry.ID | None = strawberry.field(
        default=None, description="The customer's id, as we know it."
    )
    external_customer_id: str | None = strawberry.field(
        default=None, description="The customer's id, as you know it."
    )


@strawberry.input(
    description="Which sessions to end. Exactly one of customerId, externalCustomerId and token."
)
class CustomerSessionRevokeInput:
    customer_id: strawberry.ID | None = strawberry.field(
        default=None, description="All sessions of this customer, by our id."
    )
    external_customer_id: str | None = strawberry.field(
        default=None, description="All sessions of this customer, by your id."
    )
    token: str | None = strawberry.field(
        default=None, description="The session with this bearer token."
    )

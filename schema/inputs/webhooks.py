"""Inputs of the mutations about webhooks."""

import strawberry

from schema.inputs.idempotency import idempotency_key

_URL = (
    "The https URL: at most 2,048 characters, with a public address. A name is checked each time "
    "that it is connected to."
)
_TYPES = "The types of events to send, such as invoice.issued. Empty: all."
_DESCRIPTION = "What the endpoint is for: 1 to 256 characters."


@strawberry.input(description="A new webhook endpoint. An organization has at most 20.")
class WebhookEndpointCreateInput:
    url: str = strawberry.field(description=_URL)
    event_types: list[str] = strawberry.field(default_factory=list, description=_TYPES)
    description: str | None = strawberry.field(default=None, description=_DESCRIPTION)
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="Changes to an endpoint. A field that is left out keeps its value.")
class WebhookEndpointUpdateInput:
    id: strawberry.ID = strawberry.field(description="The endpoint's id.")
    url: str | None = strawberry.field(default=None, description=_URL)
    event_types: list[str] | None = strawberry.field(default=None, description=_TYPES)
    description: str | None = strawberry.field(
        default=strawberry.UNSET, description=f"{_DESCRIPTION} Null removes it."
    )
    enabled: bool | None = strawberry.field(
        default=None,
        description="Whether events are sent. Deliveries that were pending when it was disabled "
        "continue when it is enabled; what happens in between is not sent.",
    )


@strawberry.input(description="The endpoint to delete.")
class WebhookEndpointDeleteInput:
    id: strawberry.ID = strawberry.field(description="The endpoint's id.")


@strawberry.input(description="The endpoint that gets a new secret.")
class WebhookEndpointRotateSecretInput:
    id: strawberry.ID = strawberry.field(description="The endpoint's id.")
    overlap_hours: int | None = strawberry.field(
        default=24,
        description="For how long the old secret signs as well: 0 to 168 hours.",
    )


@strawberry.input(description="The endpoint to send a test event to.")
class WebhookEndpointTestInput:
    id: strawberry.ID = strawberry.field(description="The endpoint's id.")


@strawberry.input(description="The delivery to send again.")
class WebhookDeliveryResendInput:
    id: strawberry.ID = strawberry.field(description="The delivery's id.")

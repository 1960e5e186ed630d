"""EventInput and EventsIngestInput: events as clients send them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import strawberry

from schema.enums import InvalidEventPolicy
from schema.inputs.raw import kept_raw
from schema.scalars import JSONObject


@strawberry.input(
    description="Something that a customer did. Exactly one of customerId and externalCustomerId."
)
class EventInput:
    name: str = strawberry.field(
        description="What kind of thing happened, such as ai_usage: 1 to 128 characters."
    )
    customer_id: strawberry.ID | None = strawberry.field(
        default=None, description="Who did it, by our id; must exist."
    )
    external_customer_id: str | None = strawberry.field(
        default=None,
        description="Who did it, by your id: 1 to 256 characters. A customer is created where it "
        "is new.",
    )
    external_id: str | None = strawberry.field(
        default=None,
        description="Idempotency key, unique in the organization, remembered for ever: 1 to 256 "
        "characters.",
    )
    timestamp: datetime | None = strawberry.field(
        default=None,
        description="When it happened, at most 5 minutes ahead. Now, where left out.",
    )
    metadata: JSONObject | None = strawberry.field(
        default=None,
        description="What to meter by: at most 64 keys an object, 4 levels, 16 KiB of JSON. "
        "Numbers are kept exactly.",
    )


@strawberry.input(description="Events to store, at most 10,000.")
class EventsIngestInput:
    raw: strawberry.Private[Mapping[str, Any]]
    events: list[EventInput] = strawberry.field(
        description="The events; each gets a receipt, in this order."
    )
    on_invalid: InvalidEventPolicy = strawberry.field(
        default=InvalidEventPolicy.REJECT_BATCH,
        description="What becomes of the valid events when others are invalid.",
    )


kept_raw(EventsIngestInput)

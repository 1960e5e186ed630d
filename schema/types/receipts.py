"""EventsIngestPayload: a receipt for each event."""

import strawberry

from schema.enums import ReceiptStatus
from schema.errors import UserError
from schema.types.payloads import user_errors


@strawberry.type(description="What became of one event of a call.")
class EventReceipt:
    """What became of one event."""

    index: int = strawberry.field(description="Its place in the input, from 0.")
    status: ReceiptStatus = strawberry.field(description="What became of it.")
    event_id: strawberry.ID | None = strawberry.field(
        default=None, description="The stored event, for INSERTED, DUPLICATE and CONFLICT."
    )
    error: UserError | None = strawberry.field(
        default=None, description="Why it was not stored, for CONFLICT and REJECTED."
    )


@strawberry.type(description="What became of the events of a call.")
class EventsIngestPayload:
    """What became of the events of a call."""

    inserted: int = strawberry.field(default=0, description="How many were stored.")
    duplicates: int = strawberry.field(default=0, description="How many were stored already.")
    conflicts: int = strawberry.field(
        default=0, description="How many have an externalId that another event holds."
    )
    rejected: int = strawberry.field(default=0, description="How many were invalid.")
    receipts: list[EventReceipt] = strawberry.field(
        default_factory=list, description="One for each event of the input, in its order."
    )
    user_errors: list[UserError] = user_errors()

"""EventsIngestPayload: a receipt for each event, made only if it is selected."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from functools import cached_property

import strawberry

from metering.ingest.storing import Receipt
from schema.enums import ReceiptStatus
from schema.errors import UserError, user_errors
from schema.ids import encode_id


@strawberry.type(description="The result for one event.")
class EventReceipt:
    index: int = strawberry.field(description="The event's position in the input, from 0.")
    status: ReceiptStatus = strawberry.field(description="What happened to the event.")
    event_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="The id of the stored event, for INSERTED, DUPLICATE and CONFLICT.",
    )
    error: UserError | None = strawberry.field(
        default=None, description="Why the event was not stored, for CONFLICT and REJECTED."
    )

    voided_at: datetime | None = strawberry.field(
        default=None,
        description="When the stored event was voided, for DUPLICATE and CONFLICT. A voided event "
        "counts nowhere, and sending it again does not change that.",
    )

    @classmethod
    def of(cls, index: int, receipt: Receipt) -> "EventReceipt":
        return cls(
            index=index,
            status=receipt.status,
            event_id=None if receipt.event_id is None else encode_id("Event", receipt.event_id),
            error=receipt_error(index, receipt),
            voided_at=receipt.voided_at,
        )


def receipt_error(index: int, receipt: Receipt) -> UserError | None:
    """Makes the error of the event at `index`, with its path from the input."""
    problem = receipt.error
    return None if problem is None else UserError.of(problem.below("events", index))


@strawberry.type(description="The result for all events of a call.")
class EventsIngestPayload:
    found: strawberry.Private[Sequence[Receipt]] = ()
    user_errors: list[UserError] = user_errors()

    @cached_property
    def _counts(self) -> Counter[ReceiptStatus]:
        return Counter(receipt.status for receipt in self.found)

    @strawberry.field(description="The number of events that were stored.")
    def inserted(self) -> int:
        return self._counts[ReceiptStatus.INSERTED]

    @strawberry.field(description="The number of events that were already stored.")
    def duplicates(self) -> int:
        return self._counts[ReceiptStatus.DUPLICATE]

    @strawberry.field(
        description="The number of events whose externalId belongs to a different event."
    )
    def conflicts(self) -> int:
        return self._counts[ReceiptStatus.CONFLICT]

    @strawberry.field(description="The number of events that were invalid.")
    def rejected(self) -> int:
        return self._counts[ReceiptStatus.REJECTED]

    @strawberry.field(description="The result for each event, in the order of the input.")
    def receipts(self) -> list[EventReceipt]:
        return [EventReceipt.of(index, receipt) for index, receipt in enumerate(self.found)]

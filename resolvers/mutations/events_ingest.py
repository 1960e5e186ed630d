"""Mutation eventsIngest: store events, each once."""

from collections import Counter
from typing import Annotated
from uuid import UUID

import strawberry

from config import clock
from metering.events import EventError, check_event
from metering.ingest import IngestCall, InvalidEventPolicy, Receipt, ReceiptStatus
from schema.context import Info, Scope
from schema.errors import ErrorCode, UserError, user_error
from schema.ids import decode_id, encode_id
from schema.inputs.events import EventsIngestInput
from schema.permissions import requires
from schema.types.receipts import EventReceipt, EventsIngestPayload


@strawberry.type
class EventsIngestMutation:
    """Storing events."""

    @strawberry.mutation(
        description="Stores events, each once, and answers after they are safe on disk. Sending "
        "the same externalId again stores nothing. The meters count them within a moment.",
        extensions=[requires(Scope.EVENTS_WRITE)],
    )
    async def events_ingest(
        self,
        info: Info,
        input: Annotated[EventsIngestInput, strawberry.argument(description="The events.")],  # noqa: A002  # the contract's name
    ) -> EventsIngestPayload:
        """Stores events."""
        events = input.raw["events"]
        maximum = info.context.services.settings.max_batch_events
        if len(events) > maximum:
            message = f"{len(events):,} events; allowed are {maximum:,} in one call."
            return EventsIngestPayload(
                user_errors=[user_error(ErrorCode.LIMIT_EXCEEDED, message, "events")]
            )
        now = clock.now()
        policy = InvalidEventPolicy(input.raw["onInvalid"])
        call = IngestCall(
            [check_event(event, now, _decode_customer_id) for event in events], policy
        )
        found = await info.context.services.commits.submit(info.context.organization_id, call)
        return _payload(found, policy)


def _decode_customer_id(value: str) -> UUID | None:
    return decode_id(value, "Customer")


def _payload(found: list[Receipt], policy: InvalidEventPolicy) -> EventsIngestPayload:
    counts = Counter(receipt.status for receipt in found)
    receipts = [_receipt(index, receipt) for index, receipt in enumerate(found)]
    rejected: list[UserError] = []
    if policy is InvalidEventPolicy.REJECT_BATCH and counts[ReceiptStatus.REJECTED]:
        rejected = [
            receipt.error
            for receipt in receipts
            if receipt.status is ReceiptStatus.REJECTED and receipt.error
        ]
    return EventsIngestPayload(
        inserted=counts[ReceiptStatus.INSERTED],
        duplicates=counts[ReceiptStatus.DUPLICATE],
        conflicts=counts[ReceiptStatus.CONFLICT],
        rejected=counts[ReceiptStatus.REJECTED],
        receipts=receipts,
        user_errors=rejected,
    )


def _receipt(index: int, receipt: Receipt) -> EventReceipt:
    return EventReceipt(
        index=index,
        status=receipt.status,
        event_id=strawberry.ID(encode_id("Event", receipt.event_id)) if receipt.event_id else None,
        error=_user_error(index, receipt.error) if receipt.error else None,
    )


def _user_error(index: int, error: EventError) -> UserError:
    return user_error(ErrorCode[error.code], error.message, "events", index, *error.path)

"""Mutation eventsIngest: stores events, each once."""

from typing import assert_never
from uuid import UUID

import strawberry

from config import clock
from metering.ingest.events import EventDraft, check_event
from metering.ingest.storing import IngestCall, InvalidEventPolicy, Receipt, ReceiptStatus
from metering.problems import Problem, RefusedError, problem
from resolvers.mutating import Audited, mutates
from schema.context import Info, Scope
from schema.errors import UserError
from schema.ids import decode_id
from schema.inputs.events import EventsIngestInput
from schema.types.receipts import EventsIngestPayload, receipt_error
from waiting.turns import PIECES


def _is_repeatable(sent: EventsIngestInput) -> bool:
    """Whether every event has an externalId, so that repeating stores it only once."""
    return all(event.get("externalId") is not None for event in sent.raw["events"])


# This takes a millisecond or two, during which other requests wait.
_CHECKED_AT_ONCE = 200


@strawberry.type
class EventsIngestMutation:
    @strawberry.mutation(
        description="Stores events, each once, and answers when they are safe on disk. An event "
        "whose externalId is already stored is not stored again. Meters count the events "
        "within moments.",
        extensions=[mutates(Scope.EVENTS_WRITE, is_repeatable=_is_repeatable, audited=Audited.NOT)],
    )
    async def events_ingest(self, info: Info, input: EventsIngestInput) -> EventsIngestPayload:
        events = input.raw["events"]
        maximum = info.context.services.settings.max_batch_events
        if len(events) > maximum:
            message = f"{len(events):,} events in one call; at most {maximum:,} are allowed."
            raise RefusedError(problem("LIMIT_EXCEEDED", message, "events"))
        now = clock.now()
        policy = InvalidEventPolicy(input.raw["onInvalid"])
        checked: list[EventDraft | Problem] = []
        for start in range(0, len(events), _CHECKED_AT_ONCE):
            if start:
                await info.context.turn(PIECES)
            part = events[start : start + _CHECKED_AT_ONCE]
            checked += [check_event(event, now, _decode_customer_id) for event in part]
        call = IngestCall(checked, policy)
        found = await info.context.services.commits.submit(info.context.organization_id, call)
        return EventsIngestPayload(found=found, user_errors=_user_errors(found, policy))


def _decode_customer_id(value: str) -> UUID | None:
    return decode_id(value, "Customer")


def _user_errors(found: list[Receipt], policy: InvalidEventPolicy) -> list[UserError]:
    """Returns an error for every invalid event, if these kept the others from being stored."""
    match policy:
        case InvalidEventPolicy.SKIP_INVALID:
            return []
        case InvalidEventPolicy.REJECT_BATCH:
            rejected = ReceiptStatus.REJECTED
            errors = (
                receipt_error(index, receipt)
                for index, receipt in enumerate(found)
                if receipt.status is rejected
            )
            return [error for error in errors if error is not None]
    assert_never(policy)

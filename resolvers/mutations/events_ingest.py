"""Mutation eventsIngest: stores events, each once."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, assert_never

import strawberry

from metering.ingest.events import EventDraft, check_event
from metering.ingest.storing import InvalidEventPolicy, Receipt, ReceiptStatus
from metering.problems import Problem
from resolvers.ingesting import decode_customer_id, ingest_events
from resolvers.mutating import Audited, mutates
from schema.context import Info, Scope
from schema.errors import UserError
from schema.inputs.events import EventsIngestInput
from schema.types.receipts import EventsIngestPayload, receipt_error


def _is_repeatable(sent: EventsIngestInput) -> bool:
    """Whether every event has an externalId, so that repeating stores it only once."""
    return all(event.get("externalId") is not None for event in sent.raw["events"])


@strawberry.type
class EventsIngestMutation:
    @strawberry.mutation(
        description="Stores events, each once, and answers when they are safe on disk. An event "
        "whose externalId is already stored is not stored again. Meters count the events "
        "within moments.",
        extensions=[mutates(Scope.EVENTS_WRITE, is_repeatable=_is_repeatable, audited=Audited.NOT)],
    )
    async def events_ingest(self, info: Info, input: EventsIngestInput) -> EventsIngestPayload:
        policy = InvalidEventPolicy(input.raw["onInvalid"])
        found = await ingest_events(info.context, input.raw["events"], _check, policy)
        return EventsIngestPayload(found=found, user_errors=_user_errors(found, policy))


def _check(event: Mapping[str, Any], now: datetime) -> EventDraft | Problem:
    return check_event(event, now, decode_customer_id)


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

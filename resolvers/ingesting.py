"""Checks and stores events, whichever way they came: the mutation, CloudEvents or Polar's API."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from config import clock
from metering.ingest.events import EventDraft
from metering.ingest.storing import IngestCall, InvalidEventPolicy, Receipt
from metering.problems import Problem, RefusedError, problem
from schema.context import Context, Scope
from schema.ids import decode_id
from schema.permissions import requires
from waiting.turns import PIECES

T = TypeVar("T")

MAY_INGEST = requires(Scope.EVENTS_WRITE)
"""Who may send events, other than by the mutation, which says so itself."""

# This takes a millisecond or two, during which other requests wait.
_CHECKED_AT_ONCE = 200


async def ingest_events(
    context: Context,
    events: Sequence[T],
    check: Callable[[T, datetime], EventDraft | Problem],
    policy: InvalidEventPolicy,
) -> list[Receipt]:
    """Stores the events of one call and returns their receipts after the commit.

    Args:
        context: the caller, who may store events.
        events: the events as they were sent.
        check: checks one of them, given the present time.
        policy: what to do with the valid events if others are invalid.

    Raises:
        RefusedError: there are too many events.
    """
    maximum = context.services.settings.max_batch_events
    if len(events) > maximum:
        message = f"{len(events):,} events in one call; at most {maximum:,} are allowed."
        raise RefusedError(problem("LIMIT_EXCEEDED", message, "events"))
    now = clock.now()
    checked: list[EventDraft | Problem] = []
    for start in range(0, len(events), _CHECKED_AT_ONCE):
        if start:
            await context.turn(PIECES)
        part = events[start : start + _CHECKED_AT_ONCE]
        checked += [check(event, now) for event in part]
    call = IngestCall(checked, policy)
    return await context.services.commits.submit(context.organization_id, call)


def decode_customer_id(value: str) -> UUID | None:
    """Returns the key in a customer's global id; None if it is malformed."""
    return decode_id(value, "Customer")

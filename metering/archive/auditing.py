"""Compares an organization's buckets of a month with its events, before the events go.

As in the nightly audit, one statement compares about SPAN_EVENTS events: of all customers together,
of one customer, or of several with few events.
"""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from tortoise.connection import get_connection

from metering.audit.buckets import Span, drifted_buckets
from metering.audit.drift import Drift
from metering.audit.recompute import SPAN_EVENTS, end_of_span
from metering.language.definition import MeterDefinition, definition_of
from metering.months import Month
from models import ALL_CUSTOMERS, Meter

_CUSTOMERS = 200

# Customers without events in the month may still have buckets that should not be there.
_NEXT_CUSTOMERS = """
SELECT customer.id, (
    SELECT count(*) FROM (
        SELECT FROM event
        WHERE event.organization_id = $1 AND event.customer_id = customer.id
          AND event.timestamp >= coalesce($4::timestamptz, '-infinity') AND event.timestamp < $5
        LIMIT $6
    ) AS few
) AS events
FROM (
    SELECT id FROM customer WHERE organization_id = $1 AND ($2::uuid IS NULL OR id > $2::uuid)
    ORDER BY id LIMIT $3
) AS customer
ORDER BY customer.id
"""


async def drifts_of(organization_id: UUID, month: Month) -> tuple[MeterDefinition, Drift] | None:
    """Returns the first difference that is found, and its meter; None if there is none."""
    meters = await Meter.filter(organization_id=organization_id).order_by("id")
    definitions = [definition_of(meter) for meter in meters]
    async for span in _spans(organization_id, month):
        for meter in definitions:
            drifts = await drifted_buckets(get_connection("default"), meter, span)
            if drifts:
                return meter, drifts[0]
    return None


async def _spans(organization_id: UUID, month: Month) -> AsyncIterator[Span]:
    async for span in _of_time(organization_id, ALL_CUSTOMERS, month):
        yield span
    last: UUID | None = None
    while True:
        rows = await get_connection("default").execute_query_dict(
            _NEXT_CUSTOMERS,
            [organization_id, last, _CUSTOMERS, month.start, month.end, SPAN_EVENTS],
        )
        for group in _groups([(row["id"], row["events"]) for row in rows]):
            if len(group) > 1:
                yield Span(tuple(group), month.start, month.end)
            else:
                async for span in _of_time(organization_id, group[0], month):
                    yield span
        if len(rows) < _CUSTOMERS:
            return
        last = rows[-1]["id"]


def _groups(customers: Sequence[tuple[UUID, int]]) -> list[list[UUID]]:
    """Divides customers so that each group has few events, or is one customer."""
    groups: list[list[UUID]] = []
    together = SPAN_EVENTS
    for customer_id, events in customers:
        together += events
        if together >= SPAN_EVENTS:
            groups.append([])
            together = events
        groups[-1].append(customer_id)
    return groups


async def _of_time(organization_id: UUID, customer_id: UUID, month: Month) -> AsyncIterator[Span]:
    start = month.start
    while True:
        end = await end_of_span(organization_id, customer_id, start)
        if end is None or end >= month.end:
            yield Span((customer_id,), start, month.end)
            return
        yield Span((customer_id,), start, end)
        start = end

"""Recomputes cached usage from the raw events and repairs it.

Comparing takes no lock. If something differs, it is compared again under the log's lock and
repaired, stored and logged in the same transaction.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection
from tortoise.transactions import in_transaction

from metering.alerts.deciding import decide
from metering.audit.buckets import Span, drifted_buckets, rewrite_buckets
from metering.audit.customer_meters import drifted_periods, rewrite_periods
from metering.audit.drift import Drift, note_drifts
from metering.counting.catch_up import hold_catch_up
from metering.counting.dimensions import hour_sql
from metering.counting.log import lock_log, next_revision
from metering.language.definition import METER_COLUMNS, MeterDefinition, meter_definition
from metering.usage.windows import HOUR_MINUTES, bucket_of
from models import ALL_CUSTOMERS, CustomerMeter

SPAN_EVENTS = 20_000
"""One statement compares about this many events; it never splits an hour."""
_HOUR = timedelta(minutes=HOUR_MINUTES)


@dataclass(frozen=True, slots=True)
class Recomputed:
    """What recomputing found. `drift` is the true minus the cached consumption of the period."""

    drift: Decimal
    drifts: tuple[Drift, ...]


async def recompute_customer_meter(
    organization_id: UUID, customer_meter_id: UUID
) -> Recomputed | None:
    """Recomputes the cached usage of a customer on a meter. None if there is no such row."""
    row = await CustomerMeter.get_or_none(organization_id=organization_id, id=customer_meter_id)
    if row is None:
        return None
    drifts: list[Drift] = []
    async for span in spans(organization_id, row.customer_id):
        found = await repair_buckets(organization_id, row.meter_id, span)
        drifts += found
        hours = {bucket_of(drift.bucket, HOUR_MINUTES) for drift in found if drift.bucket}
        for hour in sorted(hours):
            of_all_customers = Span((ALL_CUSTOMERS,), hour, hour + _HOUR)
            drifts += await repair_buckets(organization_id, row.meter_id, of_all_customers)
    of_period = await repair_periods(organization_id, row.meter_id, [row.customer_id])
    change = Decimal(0)
    for drift in of_period:
        change += (drift.recomputed or 0) - (drift.cached or 0)
    return Recomputed(change, (*drifts, *of_period))


async def spans(
    organization_id: UUID, customer_id: UUID, start: datetime | None = None
) -> AsyncIterator[Span]:
    """Splits the time from `start` on into spans of about SPAN_EVENTS events each."""
    while True:
        end = await end_of_span(organization_id, customer_id, start)
        yield Span((customer_id,), start, end)
        if end is None:
            return
        start = end


async def end_of_span(
    organization_id: UUID, customer_id: UUID, start: datetime | None, events: int | None = None
) -> datetime | None:
    """Returns the end of the span of so many events from `start` on; None if it is the last one.

    By default, a span has SPAN_EVENTS.
    """
    of_customer = "" if customer_id == ALL_CUSTOMERS else "AND customer_id = $4"
    rows = await get_connection("default").execute_query_dict(
        f"""
        SELECT {hour_sql("timestamp")} + interval '1 hour' AS until
        FROM event
        WHERE organization_id = $1 AND timestamp >= coalesce($2::timestamptz, '-infinity')
          {of_customer}
        ORDER BY timestamp OFFSET $3 LIMIT 1
        """,
        [
            organization_id,
            start,
            SPAN_EVENTS if events is None else events,
            *([customer_id] if of_customer else []),
        ],
    )
    return rows[0]["until"] if rows else None


async def repair_buckets(organization_id: UUID, meter_id: UUID, span: Span) -> list[Drift]:
    """Repairs the meter's buckets in a span and returns those that differed."""
    pool = get_connection("default")
    found = await _standing(pool, organization_id, meter_id)
    if found is None or not await drifted_buckets(pool, found.meter, span):
        return []
    async with in_transaction() as connection:
        await hold_catch_up(connection, meter_id)
        await lock_log(connection, organization_id)
        found = await _standing(connection, organization_id, meter_id)
        if found is None:
            return []
        drifts = await drifted_buckets(connection, found.meter, span)
        if drifts:
            await rewrite_buckets(connection, found.meter, span, drifts)
            await note_drifts(connection, organization_id, drifts)
        return drifts


async def repair_periods(
    organization_id: UUID, meter_id: UUID, customer_ids: Sequence[UUID]
) -> list[Drift]:
    """Repairs the customers' current periods on a meter. Its buckets must be right."""
    async with in_transaction() as connection:
        await connection.execute_query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        found = await _standing(connection, organization_id, meter_id)
        if found is None or not await drifted_periods(
            connection, found.meter, found.position, customer_ids
        ):
            return []
    async with in_transaction() as connection:
        await hold_catch_up(connection, meter_id)
        state = await lock_log(connection, organization_id)
        found = await _standing(connection, organization_id, meter_id)
        if found is None:
            return []
        drifted = await drifted_periods(connection, found.meter, found.position, customer_ids)
        if not drifted:
            return []
        await next_revision(connection, organization_id)
        periods = [each.period for each in drifted]
        revision = state.revision + 1
        await rewrite_periods(connection, found.meter, found.position, periods, revision)
        await decide(connection, organization_id, revision)
        drifts = [each.drift for each in drifted]
        await note_drifts(connection, organization_id, drifts)
        return drifts


@dataclass(frozen=True, slots=True)
class _Standing:
    """A meter, archived or not, and the last position that it has counted."""

    meter: MeterDefinition
    position: int


async def _standing(
    connection: BaseDBAsyncClient, organization_id: UUID, meter_id: UUID
) -> _Standing | None:
    rows = await connection.execute_query_dict(
        f"""
        SELECT {METER_COLUMNS},
               coalesce(position, (SELECT head FROM event_log WHERE organization_id = $1), 0)
                   AS standing
        FROM meter WHERE organization_id = $1 AND id = $2
        """,
        [organization_id, meter_id],
    )
    return _Standing(meter_definition(rows[0]), rows[0]["standing"]) if rows else None

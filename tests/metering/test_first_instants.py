"""Events of the first and last instants are stored, counted, found and audited as any other."""

from contextlib import nullcontext as anywhere
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from config import clock
from metering.audit.recompute import recompute_customer_meter
from metering.ingest.storing import ReceiptStatus
from metering.language.aggregations import AggregationFunction
from metering.language.definition import MeterDefinition
from metering.language.filters import Clause, ClauseOperator, Filter
from metering.usage.ranges import usage
from metering.usage.windows import Interval, Window, windows, zone_of
from models import CustomerMeter, Organization
from schema.loaders.events import EventQuery, events_source
from schema.loaders.keyset import PageRequest, bounds_of
from schema.loaders.sources import read_pages
from tests.ingesting import catch_up_all, definition_of, drain, meter_of, send
from tests.reference.aggregations import hours, value_seconds

FIRST = datetime.min.replace(tzinfo=UTC)
LAST = datetime.max.replace(tzinfo=UTC)
TICK = timedelta(microseconds=1)
EVENTS = [
    {"timestamp": FIRST, "externalId": "first", "metadata": {"tokens": 1}},
    {"timestamp": FIRST + TICK, "externalId": "second", "metadata": {"tokens": 2}},
    {"timestamp": datetime(2026, 3, 1, tzinfo=UTC), "metadata": {"tokens": 4}},
]
END = datetime(2027, 1, 1, tzinfo=UTC)
EXPECTED = {
    AggregationFunction.COUNT: Decimal(3),
    AggregationFunction.SUM: Decimal(7),
    AggregationFunction.AVERAGE: Decimal("2.333333333333"),
    AggregationFunction.MINIMUM: Decimal(1),
    AggregationFunction.MAXIMUM: Decimal(4),
    AggregationFunction.UNIQUE: Decimal(3),
    AggregationFunction.LATEST: Decimal(4),
    AggregationFunction.TIME_WEIGHTED: hours(
        value_seconds(
            [
                (FIRST, UUID(int=1), Decimal(1)),
                (FIRST + TICK, UUID(int=2), Decimal(2)),
                (datetime(2026, 3, 1, tzinfo=UTC), UUID(int=3), Decimal(4)),
            ],
            FIRST,
            END,
        )
    ),
}


async def caught_up(
    organization: Organization, function: AggregationFunction, filter_: Filter | None = None
) -> MeterDefinition:
    meter = await meter_of(organization.id, function, filter_)
    await catch_up_all(organization.id)
    return await definition_of(meter)


async def drifts(meter: MeterDefinition) -> set[Any]:
    """The buckets that recomputing finds wrong."""
    cached = await CustomerMeter.get(meter_id=meter.id)
    found = await recompute_customer_meter(cached.organization_id, cached.id)
    assert found is not None
    return {drift.bucket for drift in found.drifts}


@pytest.mark.parametrize("instant", [FIRST, FIRST + TICK, LAST - TICK, LAST])
async def test_an_instant_survives_storing(database: BaseDBAsyncClient, instant: datetime) -> None:
    (row,) = await database.execute_query_dict(
        """
        SELECT $1::timestamptz AS alone, ($2::timestamptz[])[1] AS among_others,
               isfinite($1::timestamptz) AS is_finite, to_char($1::timestamptz, 'YYYY US') AS text
        """,
        [instant, [instant]],
    )
    assert (row["alone"], row["among_others"], row["is_finite"]) == (instant, instant, True)
    assert row["text"] == f"{instant.year:04} {instant.microsecond:06}"


@pytest.mark.parametrize("function", AggregationFunction)
async def test_events_of_the_first_instants_are_counted(
    database: BaseDBAsyncClient, organization: Organization, function: AggregationFunction
) -> None:
    live = await caught_up(organization, function)
    await send(organization.id, *EVENTS)
    await drain(organization.id)
    late = await caught_up(organization, function)
    for meter in (live, late):
        by_year = windows(FIRST, END, Interval.YEAR, zone_of("UTC"))
        with clock.at(END):
            used = await usage(database, meter, by_year)
        assert used.total.counted == 3
        assert used.total.quantity == EXPECTED[function]
        assert (used.points[0].counted, used.points[-1].counted) == (2, 1)
        counted = [
            (await usage(database, meter, [window])).total.counted
            for window in (
                Window(FIRST, FIRST + TICK),
                Window(FIRST + TICK, FIRST + 2 * TICK),
                Window(FIRST, LAST),
                Window(LAST - TICK, LAST),
            )
        ]
        assert counted == [1, 1, 3, 0]
        assert await drifts(meter) == set()


async def test_drift_at_the_first_instant_is_repaired(
    database: BaseDBAsyncClient, organization: Organization
) -> None:
    meter = await caught_up(organization, AggregationFunction.SUM)
    await send(organization.id, *EVENTS)
    await drain(organization.id)
    await database.execute_query_dict(
        "UPDATE usage_bucket SET sum = sum + 1 WHERE meter_id = $1 RETURNING 1", [meter.id]
    )
    assert FIRST in await drifts(meter)
    assert await drifts(meter) == set()


@pytest.mark.parametrize(
    ("operator", "counted"),
    [
        (ClauseOperator.EQUALS, 1),
        (ClauseOperator.NOT_EQUALS, 2),
        (ClauseOperator.LESS_THAN_OR_EQUALS, 1),
        (ClauseOperator.LESS_THAN, 0),
        (ClauseOperator.GREATER_THAN, 2),
        (ClauseOperator.GREATER_THAN_OR_EQUALS, 3),
    ],
)
async def test_filters_compare_with_the_first_instant(
    database: BaseDBAsyncClient,
    organization: Organization,
    operator: ClauseOperator,
    counted: int,
) -> None:
    clause = Clause("timestamp", operator, "0001-01-01T00:00:00Z")
    meter = await caught_up(organization, AggregationFunction.COUNT, Filter(clauses=(clause,)))
    await send(organization.id, *EVENTS)
    await drain(organization.id)
    used = await usage(database, meter, [Window(FIRST, LAST)])
    assert used.total.quantity == counted


async def test_the_same_event_again_is_a_duplicate(organization: Organization) -> None:
    await send(organization.id, *EVENTS)
    (again,) = await send(organization.id, EVENTS[0])
    (other,) = await send(organization.id, {**EVENTS[0], "timestamp": FIRST + TICK})
    assert (again.status, other.status) == (ReceiptStatus.DUPLICATE, ReceiptStatus.CONFLICT)


async def test_pages_continue_from_the_first_instant(organization: Organization) -> None:
    await send(organization.id, *EVENTS)
    for query, instants in (
        (EventQuery(start=FIRST, end=LAST), [event["timestamp"] for event in reversed(EVENTS)]),
        (EventQuery(end=FIRST + TICK), [FIRST]),
    ):
        source, after, seen = events_source(organization.id, query), None, []
        while True:
            bounds = bounds_of(source.keyset, PageRequest(1, after=after))
            ((*rows,),) = await read_pages(anywhere, [(source, bounds, 1)])
            if not rows:
                break
            seen.append(rows[0]["timestamp"])
            after = source.keyset.cursor(rows[0])
        assert seen == instants

"""Usage from buckets and edges agrees with the raw events."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tortoise.backends.base.client import BaseDBAsyncClient

from metering.language.aggregations import Aggregation, AggregationFunction
from metering.language.filters import Filter
from metering.usage.ranges import Quantities, Quantity, usage
from metering.usage.windows import Interval, Window, windows, zone_of
from models import Organization
from models.identifiers import new_id
from tests.effort import examples
from tests.ingesting import drain
from tests.metering.stored import CUSTOMERS, event_of, meter_on, store
from tests.reference.aggregations import aggregate
from tests.reference.carried import CARRYING_OVER, carried_of_all
from tests.reference.filters import matches
from tests.reference.sql import parsed
from tests.reference.strategies import (
    PROPERTIES,
    START,
    counted_metadata,
    event_ids,
    filters,
    names,
)
from tests.reference.strategies import metadata as any_metadata

ZONES = ["UTC", "Europe/Berlin", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe"]
# Clocks changed in Berlin on the day after; Liberia was 44 minutes and a half behind UTC then.
ERAS = [
    (datetime(2026, 3, 28, 12, tzinfo=UTC), ZONES),
    (datetime(1965, 3, 1, tzinfo=UTC), ["Africa/Monrovia"]),
]
EVERY_EVENT: dict[str, Any] = {"conjunction": "AND", "clauses": []}
# Half of the filters match most events, so that there is something to aggregate.
some_filters = st.booleans().flatmap(lambda all_: st.just(EVERY_EVENT) if all_ else filters)
properties = st.sampled_from([name for name in PROPERTIES if name != "timestamp"])
# Often at the very bound of a bucket or beside it.
offsets = st.builds(
    lambda quarters, microseconds: timedelta(minutes=15 * quarters, microseconds=microseconds),
    st.integers(-100, 100),
    st.sampled_from([-1, 0, 0, 1]) | st.integers(0, 900_000_000),
)
half_days = st.integers(-20, 20).map(lambda number: timedelta(hours=12 * number))


# Each function, and those that may carry over once more.
KINDS = [(function, False) for function in AggregationFunction] + [
    (AggregationFunction(function), True) for function in CARRYING_OVER
]


def expected_of(
    data: dict[str, Any], aggregation: Aggregation, events: list[dict[str, Any]], window: Window
) -> Quantity:
    matching = [found for found in events if matches(data, found)]
    if aggregation.lasts() and aggregation.property is not None:
        result = carried_of_all(aggregation.function, aggregation.property, matching, *window)
    else:
        inside = [found for found in matching if window.start <= found["timestamp"] < window.end]
        result = aggregate(aggregation.function, aggregation.property, inside)
    return Quantity(result.quantity, result.matched - result.skipped, result.skipped)


@st.composite
def cases(draw: st.DrawFn, function: AggregationFunction, carries_over: bool) -> dict[str, Any]:
    era, zones = draw(st.sampled_from(ERAS))
    stored = st.builds(
        event_of,
        st.sampled_from(CUSTOMERS),
        id_=event_ids,
        name=names,
        timestamp=offsets.map(era.__add__),
        metadata=counted_metadata | any_metadata,
    )
    events = draw(st.lists(stored, min_size=8, max_size=30, unique_by=lambda found: found["id"]))
    # A range often begins or ends at an event, and as often is of whole buckets.
    bounds, whole = offsets.map(era.__add__), half_days.map(era.__add__)
    bounds |= st.sampled_from([found["timestamp"] for found in events])
    *range_, interval = draw(
        st.tuples(bounds, bounds, st.sampled_from(Interval))
        | st.tuples(whole, whole, st.sampled_from([Interval.DAY, Interval.WEEK, Interval.MONTH]))
    )
    return {
        "filter": draw(some_filters),
        "aggregation": Aggregation(
            function,
            None if function is AggregationFunction.COUNT else draw(st.just("n") | properties),
            carries_over,
        ),
        "events": events,
        "counted": draw(st.just(30) | st.integers(0, 30)),
        "live": draw(st.booleans()),
        "range": sorted(range_),
        "interval": interval,
        "zone": ZoneInfo(draw(st.sampled_from(zones))),
        "customer_id": draw(st.none() | st.sampled_from(CUSTOMERS)),
    }


@pytest.mark.parametrize(("function", "carries_over"), KINDS)
@examples(200)
@given(data=st.data())
async def test_usage_of_any_range_is_that_of_the_raw_events(
    database: BaseDBAsyncClient,
    function: AggregationFunction,
    data: st.DataObject,
    *,
    carries_over: bool,
) -> None:
    case = data.draw(cases(function, carries_over))
    organization = await Organization.create(name="Test", slug=str(uuid4()))
    filter_, aggregation = parsed(case["filter"]), case["aggregation"]
    counted, pending = case["events"][: case["counted"]], case["events"][case["counted"] :]
    if case["live"]:
        meter = await meter_on(organization.id, filter_, aggregation)
    for batch in (counted[::2], counted[1::2]):
        if batch:
            await store(database, organization.id, batch)
    await drain(organization.id)
    if not case["live"]:
        meter = await meter_on(organization.id, filter_, aggregation)
    if pending:
        await store(database, organization.id, pending)

    whole = Window(*case["range"])
    points = windows(whole.start, whole.end, case["interval"], case["zone"])
    found = await usage(database, meter, points, case["customer_id"])

    customers = CUSTOMERS if case["customer_id"] is None else [case["customer_id"]]
    events = [one for one in counted if one["customer_id"] in customers]
    assert list(found.points) == [
        expected_of(case["filter"], aggregation, events, point) for point in points
    ]
    assert found.total == expected_of(case["filter"], aggregation, events, whole)


def day(number: int) -> Window:
    start = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(days=number)
    return Window(start, start + timedelta(days=1))


@pytest.mark.parametrize("function", AggregationFunction)
async def test_an_archived_meter_keeps_its_usage(
    database: BaseDBAsyncClient, organization: Organization, function: AggregationFunction
) -> None:
    aggregation = Aggregation(function, None if function == "COUNT" else "n")
    meter = await meter_on(organization.id, Filter(), aggregation)
    for number in (5, 7):
        one = event_of(
            CUSTOMERS[0], id_=new_id(), name="x", timestamp=START, metadata={"n": number}
        )
        await store(database, organization.id, [one])
        await drain(organization.id)
        await database.execute_query_dict(
            "UPDATE meter SET position = 1 WHERE id = $1 RETURNING id", [meter.id]
        )
    # Noon is at the edge of the range, where raw events are looked at.
    edge = Window(START - timedelta(minutes=1), START + timedelta(minutes=1))
    expected = {
        AggregationFunction.COUNT: Decimal(1),
        AggregationFunction.UNIQUE: Decimal(1),
        # 5 for the minute after it.
        AggregationFunction.TIME_WEIGHTED: Decimal("0.083333333333"),
    }.get(function, Decimal(5))
    assert (await usage(database, meter, [edge])).total.quantity == expected


async def test_no_windows_are_no_usage(
    database: BaseDBAsyncClient, organization: Organization
) -> None:
    meter = await meter_on(organization.id, Filter(), Aggregation(AggregationFunction.COUNT))
    assert await usage(database, meter, []) == Quantities((), Quantity(Decimal(0)))


async def test_a_foreign_meter_has_no_usage(
    database: BaseDBAsyncClient, organization: Organization, other_organization: Organization
) -> None:
    aggregation = Aggregation(AggregationFunction.COUNT)
    meter = await meter_on(organization.id, Filter(), aggregation)
    foreign = await meter_on(other_organization.id, Filter(), aggregation)
    one = event_of(CUSTOMERS[0], id_=new_id(), name="x", timestamp=START, metadata={})
    await store(database, organization.id, [one])
    await drain(organization.id)
    assert (await usage(database, meter, [day(0)])).total.quantity == 1
    assert (await usage(database, foreign, [day(0)])).total.quantity == 0


async def test_points_without_events_have_no_quantity(
    database: BaseDBAsyncClient, organization: Organization
) -> None:
    meter = await meter_on(organization.id, Filter(), Aggregation(AggregationFunction.MAXIMUM, "n"))
    one = event_of(CUSTOMERS[0], id_=new_id(), name="x", timestamp=START, metadata={"n": 3})
    await store(database, organization.id, [one])
    await drain(organization.id)
    points = windows(day(-1).start, day(1).end, Interval.DAY, zone_of("UTC"))
    found = await usage(database, meter, points)
    assert [point.quantity for point in found.points] == [None, 3, None]

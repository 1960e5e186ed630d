"""Usage by dimension agrees with the raw events, and with meters that filter for a value."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tortoise.backends.base.client import BaseDBAsyncClient

from metering.language.aggregations import Aggregation, AggregationFunction
from metering.language.definition import MeterDefinition
from metering.meters import MeterChanges, update_meter
from metering.usage.grouping import DimensionValue, Grouping
from metering.usage.groups import GroupedUsage, grouped_usage
from metering.usage.ranges import Quantities, usage
from metering.usage.windows import Interval, Window, windows
from models import Meter, Organization
from tests.effort import examples
from tests.ingesting import catch_up_all, definition_of, drain
from tests.metering.stored import CUSTOMERS, WITH_DIMENSIONS, event_of, meter_on, store
from tests.metering.test_usage import EVERY_EVENT, expected_of, some_filters
from tests.reference.dimensions import dimension, matching
from tests.reference.filters import matches
from tests.reference.sql import parsed
from tests.reference.strategies import counted_metadata, event_ids, names, scalars
from tests.reference.strategies import events as any_events
from tests.reference.strategies import values as any_values

DIMENSIONS = ["d", "e", "a.b", "name", "metadata.name"]
# Around the ends of a month, a day and an hour.
ERA = datetime(2026, 3, 31, 23, tzinfo=UTC)
ZONES = ["UTC", "Europe/Berlin", "Asia/Kolkata", "Asia/Kathmandu"]

Labels = tuple[str | None, ...]

# Few, so that they repeat and make groups; some differ in kind only.
texts: st.SearchStrategy[Any] = (
    st.sampled_from(["x", "y", "", "1", "1.0", "true", None, True, Decimal(1), [], {}, "x" * 1_000])
    # The text of an array has these between its elements, or in place of one.
    | st.sampled_from(["NULL", ",", '"', "\\", '{x,"y"}', " x "])
    | scalars
    | any_values
)
dimensions_metadata = st.fixed_dictionaries(
    {}, optional={"d": texts, "e": texts, "a.b": texts, "a": texts, "name": texts}
)
offsets = st.builds(
    lambda quarters, microseconds: timedelta(minutes=15 * quarters, microseconds=microseconds),
    st.integers(-30, 30),
    st.sampled_from([-1, 0, 0, 1]) | st.integers(0, 900_000_000),
)


@st.composite
def cases(draw: st.DrawFn, function: AggregationFunction) -> dict[str, Any]:
    stored = st.builds(
        lambda numbers, dimensions, **event: event_of(
            metadata={**dimensions, **numbers},
            **event,
        ),
        customer_id=st.sampled_from(CUSTOMERS),
        id_=event_ids,
        name=names,
        timestamp=offsets.map(ERA.__add__),
        numbers=counted_metadata,
        dimensions=dimensions_metadata,
    )
    events = draw(st.lists(stored, min_size=8, max_size=30, unique_by=lambda found: found["id"]))
    bounds = offsets.map(ERA.__add__) | st.sampled_from([found["timestamp"] for found in events])
    dimensions = draw(st.lists(st.sampled_from(DIMENSIONS), min_size=1, max_size=3, unique=True))
    by = draw(st.lists(st.sampled_from(dimensions), max_size=3, unique=True))
    seen = [(name, dimension(event, name)) for name in dimensions for event in events]
    return {
        "filter": draw(some_filters),
        "aggregation": Aggregation(
            function, None if function is AggregationFunction.COUNT else "n"
        ),
        "events": events,
        "counted": draw(st.just(30) | st.integers(0, 30)),
        "since": draw(st.sampled_from(["creation", "change", "history"])),
        "range": sorted(draw(st.tuples(bounds, bounds))),
        "interval": draw(st.sampled_from(Interval)),
        "zone": ZoneInfo(draw(st.sampled_from(ZONES))),
        "customer_id": draw(st.none() | st.sampled_from(CUSTOMERS)),
        "dimensions": tuple(dimensions),
        "by": tuple(by),
        "only": draw(
            st.lists(st.sampled_from(seen) | st.just((dimensions[0], "never")), max_size=3)
        ),
    }


def is_included(event: dict[str, Any], only: Iterable[tuple[str, str | None]]) -> bool:
    wanted: dict[str, set[str | None]] = {}
    for name, text in only:
        wanted.setdefault(name, set()).add(text)
    return all(dimension(event, name) in texts for name, texts in wanted.items())


def by_labels(found: GroupedUsage) -> dict[Labels, Quantities]:
    assert not any(group.is_other for group in found.groups)
    return {tuple(value.value for value in group.values): group.usage for group in found.groups}


async def counted_meter(
    database: BaseDBAsyncClient, organization_id: UUID, case: dict[str, Any]
) -> MeterDefinition:
    """A meter that has counted some of the events by dimension, and the rest is pending."""
    filter_, aggregation = parsed(case["filter"]), case["aggregation"]
    counted, pending = case["events"][: case["counted"]], case["events"][case["counted"] :]
    meter = None
    if case["since"] == "creation":
        meter = await meter_on(organization_id, filter_, aggregation, case["dimensions"])
    elif case["since"] == "change":
        meter = await meter_on(organization_id, filter_, aggregation, ["d", "n"])
    for batch in (counted[::2], counted[1::2]):
        if batch:
            await store(database, organization_id, batch)
    await drain(organization_id)
    if meter is None:
        meter = await meter_on(organization_id, filter_, aggregation, case["dimensions"])
    elif case["since"] == "change":
        changes = MeterChanges(dimensions=case["dimensions"])
        await update_meter(organization_id, meter.id, changes)
        await catch_up_all(organization_id)
    if pending:
        await store(database, organization_id, pending)
    return await definition_of(await Meter.get(id=meter.id))


@pytest.mark.parametrize("function", WITH_DIMENSIONS)
@examples(100)
@given(st.data())
async def test_groups_of_any_range_are_those_of_the_raw_events(
    database: BaseDBAsyncClient, function: AggregationFunction, data: st.DataObject
) -> None:
    case = data.draw(cases(function))
    organization = await Organization.create(name="Test", slug=str(uuid4()))
    meter = await counted_meter(database, organization.id, case)
    whole = Window(*case["range"])
    points = windows(whole.start, whole.end, case["interval"], case["zone"])
    only = tuple(DimensionValue(*value) for value in case["only"])

    found = await grouped_usage(
        database, meter, points, Grouping(case["by"], only), case["customer_id"]
    )

    customers = CUSTOMERS if case["customer_id"] is None else [case["customer_id"]]
    events = [
        event
        for event in case["events"][: case["counted"]]
        if event["customer_id"] in customers and is_included(event, case["only"])
    ]
    assert found.usage == expected(case, events, points, whole)
    assert by_labels(found) == expected_groups(case, events, points, whole)


def expected(
    case: dict[str, Any], events: list[dict[str, Any]], points: Sequence[Window], whole: Window
) -> Quantities:
    def of(window: Window) -> Any:
        return expected_of(case["filter"], case["aggregation"], events, window)

    return Quantities(tuple(map(of, points)), of(whole))


def expected_groups(
    case: dict[str, Any], events: list[dict[str, Any]], points: Sequence[Window], whole: Window
) -> dict[Labels, Quantities]:
    groups: dict[Labels, list[dict[str, Any]]] = {}
    for event in events:
        if whole.start <= event["timestamp"] < whole.end and matches(case["filter"], event):
            labels = tuple(dimension(event, name) for name in case["by"])
            groups.setdefault(labels, []).append(event)
    if not case["by"]:
        return {}
    return {labels: expected(case, of, points, whole) for labels, of in groups.items()}


@examples(500)
@given(st.sampled_from(DIMENSIONS), st.lists(any_events, max_size=8))
def test_a_value_of_a_dimension_is_what_a_filter_for_it_matches(
    name: str, events: list[dict[str, Any]]
) -> None:
    texts = {dimension(event, name) for event in events}
    for text in texts:
        filter_ = matching(name, text, {other for other in texts if other is not None})
        for event in events:
            assert matches(filter_, event) is (dimension(event, name) == text)


@pytest.mark.parametrize("function", WITH_DIMENSIONS)
async def test_each_group_is_what_a_meter_that_filters_for_it_counts(
    database: BaseDBAsyncClient, organization: Organization, function: AggregationFunction
) -> None:
    aggregation = Aggregation(function, None if function is AggregationFunction.COUNT else "n")
    kinds: list[Any] = ["gpt-4.1", "1.10", "1.1", 1.0, "1", "1.0", 1, True, "true", None, [1], {}]
    events = [
        event_of(
            CUSTOMERS[number % 2],
            id_=uuid4(),
            name="x",
            timestamp=ERA + timedelta(minutes=number * 11),
            metadata={"model": kinds[number % 12], "n": number * number % 17, "region": "eu"},
        )
        for number in range(60)
    ]
    meter = await meter_on(organization.id, parsed(EVERY_EVENT), aggregation, ["model", "region"])
    await store(database, organization.id, events)
    await drain(organization.id)
    whole = Window(ERA + timedelta(minutes=5), ERA + timedelta(hours=10, minutes=7))
    hours = windows(*whole, Interval.HOUR, ZoneInfo("UTC"))
    texts = {"gpt-4.1", "1.10", "1.1", "1", "1.0", "true"}

    found = await grouped_usage(database, meter, hours, Grouping(("model",)))

    assert by_labels(found).keys() == {(text,) for text in (*texts, None)}
    for (text,), group in by_labels(found).items():
        filter_ = parsed(matching("model", text, texts))
        alone = await meter_on(organization.id, filter_, aggregation)
        assert group == await usage(database, alone, hours)
    assert found.usage == await usage(database, meter, hours)

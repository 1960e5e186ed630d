"""The customers with the most usage are those that the raw events say."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tortoise.backends.base.client import BaseDBAsyncClient

from metering.language.aggregations import Aggregation, AggregationFunction
from metering.language.filters import Filter
from metering.usage.top_customers import CustomerUsage, top_customers
from metering.usage.windows import Window
from models import Organization
from models.identifiers import new_id
from tests.effort import examples
from tests.ingesting import drain
from tests.metering.stored import event_of, meter_on, store
from tests.metering.test_usage import offsets, some_filters
from tests.reference.aggregations import aggregate
from tests.reference.carried import carried, numbers_of
from tests.reference.filters import matches
from tests.reference.sql import parsed
from tests.reference.strategies import START, counted_metadata, event_ids, names

CUSTOMERS = [UUID(int=number) for number in range(1, 7)]


def expected_of(
    data: dict[str, Any], aggregation: Aggregation, events: list[dict[str, Any]], window: Window
) -> list[CustomerUsage]:
    """All customers with an event that counts, in order."""
    found = []
    for customer in CUSTOMERS:
        own = [one for one in events if one["customer_id"] == customer and matches(data, one)]
        inside = [one for one in own if window.start <= one["timestamp"] < window.end]
        if aggregation.lasts() and aggregation.property is not None:
            name = aggregation.property
            known = numbers_of(name, [one for one in own if one["timestamp"] < window.end])
            if known and window.start < window.end:
                used = carried(aggregation.function, name, own, *window)
                found.append(CustomerUsage(customer, used.quantity))
        elif inside:
            used = aggregate(aggregation.function, aggregation.property, inside)
            if used.matched > used.skipped:
                found.append(CustomerUsage(customer, used.quantity))
    return sorted(
        found,
        key=lambda one: (
            one.quantity is None,
            -(one.quantity or Decimal(0)),
            one.customer_id,
        ),
    )


@pytest.mark.parametrize("function", AggregationFunction)
@examples(30)
@given(st.data())
async def test_the_top_of_any_range_is_that_of_the_raw_events(
    database: BaseDBAsyncClient, function: AggregationFunction, data: st.DataObject
) -> None:
    stored = st.builds(
        event_of,
        st.sampled_from(CUSTOMERS),
        id_=event_ids,
        name=names,
        timestamp=offsets.map(START.__add__),
        metadata=counted_metadata | st.just({}),
    )
    events = data.draw(st.lists(stored, min_size=8, max_size=30, unique_by=lambda one: one["id"]))
    bounds = offsets.map(START.__add__) | st.sampled_from([one["timestamp"] for one in events])
    filter_ = data.draw(some_filters)
    number, first = data.draw(st.integers(0, 30)), data.draw(st.integers(1, 8))
    is_live = data.draw(st.booleans())
    window = Window(*sorted(data.draw(st.tuples(bounds, bounds))))
    organization = await Organization.create(name="Test", slug=str(uuid4()))
    aggregation = Aggregation(function, None if function is AggregationFunction.COUNT else "n")
    if is_live:
        meter = await meter_on(organization.id, parsed(filter_), aggregation)
    counted, pending = events[:number], events[number:]
    for batch in (counted[::2], counted[1::2]):
        if batch:
            await store(database, organization.id, batch)
    await drain(organization.id)
    if not is_live:
        meter = await meter_on(organization.id, parsed(filter_), aggregation)
    if pending:
        await store(database, organization.id, pending)

    found = await top_customers(database, meter, window, first)

    assert found == expected_of(filter_, aggregation, counted, window)[:first]


async def test_the_top_of_all_time_is_of_one_s_own_events(
    database: BaseDBAsyncClient, organization: Organization, other_organization: Organization
) -> None:
    count = Aggregation(AggregationFunction.COUNT)
    meters = []
    for number, tenant in enumerate((organization, other_organization), start=1):
        events = [
            event_of(CUSTOMERS[0], id_=new_id(), name="x", timestamp=START, metadata={})
            for _ in range(number)
        ]
        meters.append(await meter_on(tenant.id, Filter(), count))
        await store(database, tenant.id, events)
        await drain(tenant.id)
    ever = Window(datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC))
    assert [await top_customers(database, meter, ever, 10) for meter in meters] == [
        [CustomerUsage(CUSTOMERS[0], Decimal(1))],
        [CustomerUsage(CUSTOMERS[0], Decimal(2))],
    ]
    nothing = Window(START, START)
    before = Window(START - timedelta(days=1), START)
    for window in (nothing, before):
        assert await top_customers(database, meters[0], window, 10) == []

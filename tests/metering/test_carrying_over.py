"""Meters that carry over: a range begins with the latest value from before it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tortoise.backends.base.client import BaseDBAsyncClient

from metering.audit.recompute import recompute_customer_meter
from metering.language.aggregations import Aggregation, AggregationFunction
from metering.language.filters import Filter
from metering.meters import archive_meter, unarchive_meter
from metering.usage.customer_periods import CustomerPeriod
from metering.usage.preview import Preview, PreviewSelection, preview
from metering.usage.preview_series import Previewed, preview_series
from metering.usage.ranges import usage
from metering.usage.top_customers import CustomerUsage, top_customers
from metering.usage.windows import Interval, Window, windows
from models import CustomerMeter, Organization
from tests.effort import examples
from tests.ingesting import catch_up_all, drain
from tests.metering.carrying import LASTING, NOON, begin
from tests.metering.stored import CUSTOMERS, event_of, meter_on, store
from tests.reference.carried import CARRYING_OVER, carried, carried_of_all, numbers_of
from tests.reference.strategies import event_ids

# Often at the very bound of a bucket or beside it; the clocks in Berlin change on the next day.
instants = st.builds(
    lambda quarters, microseconds: (
        NOON + timedelta(minutes=15 * quarters, microseconds=microseconds)
    ),
    st.integers(-100, 100),
    st.sampled_from([-1, 0, 0, 1]) | st.integers(0, 900_000_000),
)
some_events = st.lists(
    st.builds(
        event_of,
        st.sampled_from(CUSTOMERS),
        id_=event_ids,
        name=st.just("seats"),
        timestamp=instants,
        metadata=st.fixed_dictionaries({"n": st.integers(-3, 9).map(Decimal) | st.none()}),
    ),
    min_size=6,
    max_size=24,
    unique_by=lambda found: found["id"],
)


async def in_use(*_: Any) -> None:
    """Nothing uses the meter."""


def expected_top(
    function: str, events: list[dict[str, Any]], window: Window
) -> list[CustomerUsage]:
    """The customers with a value, the greatest quantity first."""
    expected = []
    for customer in CUSTOMERS:
        own = [found for found in events if found["customer_id"] == customer]
        quantity = carried(function, "n", own, *window).quantity
        known = numbers_of("n", [found for found in own if found["timestamp"] < window.end])
        if known and window.start < window.end:
            expected.append(CustomerUsage(customer, quantity))
    expected.sort(key=lambda one: (-(one.quantity or Decimal(0)), one.customer_id))
    return expected


@pytest.mark.parametrize("function", LASTING)
@examples(150)
@given(data=st.data())
async def test_everything_that_is_shown_follows_from_the_events(
    database: BaseDBAsyncClient, function: AggregationFunction, data: st.DataObject
) -> None:
    events = data.draw(some_events)
    first, second = sorted(data.draw(st.tuples(*[st.integers(0, len(events))] * 2)))
    starts = {customer: data.draw(instants) for customer in CUSTOMERS}
    bounds = instants | st.sampled_from([found["timestamp"] for found in events])
    window = Window(*sorted(data.draw(st.tuples(bounds, bounds))))
    zone = ZoneInfo(data.draw(st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe"])))
    organization = await Organization.create(name="Test", slug=str(uuid4()))
    carries_over = function in CARRYING_OVER
    meter = await meter_on(organization.id, Filter(), Aggregation(function, "n", carries_over))

    if first:
        await store(database, organization.id, events[:first])
    await drain(organization.id)
    rows = await CustomerMeter.filter(meter_id=meter.id)
    await begin(
        meter, [CustomerPeriod(row.customer_id, starts[row.customer_id], None) for row in rows]
    )
    begun = {row.customer_id for row in rows}
    # The rest is late more often than not; a part of it may be caught up on.
    if second > first:
        await store(database, organization.id, events[first:second])
    await drain(organization.id)
    is_stopped = data.draw(st.booleans())
    if is_stopped:
        await archive_meter(organization.id, meter.id, in_use)
    if second < len(events):
        await store(database, organization.id, events[second:])
    await drain(organization.id)
    if is_stopped:
        await unarchive_meter(organization.id, meter.id)
        await catch_up_all(organization.id)

    for row in await CustomerMeter.filter(meter_id=meter.id):
        own = [found for found in events if found["customer_id"] == row.customer_id]
        start = (
            starts[row.customer_id]
            if row.customer_id in begun
            else datetime.min.replace(tzinfo=UTC)
        )
        # What grows with time is as of the latest event.
        latest = max([instant for instant, _, _ in numbers_of("n", own)] + [start])
        end = datetime.max.replace(tzinfo=UTC) if carries_over else latest
        expected = carried(function, "n", own, start, end)
        assert row.consumed == (expected.quantity or 0)
        recomputed = await recompute_customer_meter(organization.id, row.id)
        assert recomputed is not None
        assert recomputed.drifts == ()

    assert await top_customers(database, meter, window, 10) == expected_top(
        function, events, window
    )

    customer_id = data.draw(st.none() | st.sampled_from(CUSTOMERS))
    own = [found for found in events if customer_id in {None, found["customer_id"]}]
    whole = carried_of_all(function, "n", own, *window)
    aggregation = meter.aggregation
    selection = PreviewSelection(window.start, window.end, customer_id)
    found = await preview(organization.id, Filter(), aggregation, selection)
    assert found == Preview(whole.matched, whole.skipped, whole.quantity)
    points, series = await preview_series(
        organization.id, Previewed(Filter(), aggregation, selection), Interval.HOUR, zone
    )
    assert points == windows(*window, Interval.HOUR, zone)
    assert series == await usage(database, meter, points, customer_id)

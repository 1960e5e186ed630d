"""Whatever events and filters there are, counting them never fails, and is what Python says."""

import secrets
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tortoise.backends.base.client import BaseDBAsyncClient

from metering.audit.recompute import recompute_customer_meter
from metering.counting.event_names import event_names
from metering.language.aggregations import Aggregation, AggregationFunction
from metering.meters import create_meter
from models import CustomerMeter, Organization, UncountedEvent
from tests.effort import examples
from tests.faults.exactness import assert_exact
from tests.ingesting import catch_up_all, drain, send
from tests.reference import strategies
from tests.reference.sql import parsed

properties = st.sampled_from([name for name in strategies.PROPERTIES if name != "timestamp"])
functions = st.sampled_from(list(AggregationFunction))
meters = st.tuples(strategies.filters | st.just({"conjunction": "AND", "clauses": []}), functions)


@examples(40)
@given(
    events=strategies.event_lists, wanted=st.lists(meters, min_size=1, max_size=4), data=st.data()
)
async def test_any_events_are_counted_exactly(
    database: BaseDBAsyncClient,
    events: list[dict[str, Any]],
    wanted: list[tuple[dict[str, Any], AggregationFunction]],
    data: st.DataObject,
) -> None:
    organization = await Organization.create(name="Any", slug=f"any-{secrets.token_hex(8)}")
    middle = data.draw(st.integers(0, len(events)))

    async def create() -> None:
        for filter_, function in wanted:
            named = None if function is AggregationFunction.COUNT else data.draw(properties)
            aggregation = Aggregation(function, named)
            await create_meter(organization.id, "Any", None, parsed(filter_), aggregation)

    await create()
    for part in (events[:middle], events[middle:]):
        if part:
            fields = ("name", "timestamp", "metadata")
            await send(organization.id, *({name: event[name] for name in fields} for event in part))
        await drain(organization.id)
    await create()
    await catch_up_all(organization.id)

    assert await assert_exact(organization.id) == len(events)
    assert not await UncountedEvent.filter(organization_id=organization.id).exists()
    assert sum(use.occurrences for use in await event_names(organization.id)) == len(events)
    for row in await CustomerMeter.filter(organization_id=organization.id):
        recomputed = await recompute_customer_meter(organization.id, row.id)
        assert recomputed is not None
        assert recomputed.drifts == ()

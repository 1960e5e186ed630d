"""A range whose usage was kept still says what the raw events say."""

import asyncio
from contextvars import Context
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection
from tortoise.transactions import in_transaction

from config.settings import Settings
from metergraph.database.opening import opened_database
from metering.audit.recompute import recompute_customer_meter
from metering.language.aggregations import Aggregation, AggregationFunction
from metering.language.filters import Filter
from metering.meters import MeterChanges, archive_meter, unarchive_meter, update_meter
from metering.usage import kept_ranges
from metering.usage.top_customers import CustomerUsage, top_customers
from metering.usage.windows import Window
from models import CustomerMeter, Meter, Organization, UsageBucket, UsageRange
from tests.effort import examples
from tests.ingesting import catch_up_all, definition_of, drain, named
from tests.metering.keeping import COUNT, WINDOW, calls, count_more, positions, quantities
from tests.metering.stored import event_of, meter_on, store
from tests.metering.test_top_customers import CUSTOMERS, expected_of
from tests.metering.test_usage import offsets, some_filters
from tests.reference.sql import parsed
from tests.reference.strategies import START, counted_metadata, event_ids, names


@pytest.fixture
def of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps ranges of a single customer, and uses them however many events came since."""
    monkeypatch.setattr(kept_ranges, "FEWEST_CUSTOMERS", 1)
    monkeypatch.setattr(kept_ranges, "MOST_EVENTS_PER_CUSTOMER", 1_000)


@pytest.mark.parametrize("function", AggregationFunction)
@examples(15)
@given(st.data())
async def test_the_top_stays_that_of_the_raw_events_while_more_is_counted(
    database: BaseDBAsyncClient,
    monkeypatch: pytest.MonkeyPatch,
    of_any_size: None,
    function: AggregationFunction,
    data: st.DataObject,
) -> None:
    monkeypatch.setattr(
        kept_ranges, "DUE_EVENTS_PER_CUSTOMER", data.draw(st.sampled_from([1, 3, 1_000]))
    )
    stored = st.builds(
        event_of,
        st.sampled_from(CUSTOMERS),
        id_=event_ids,
        name=names,
        timestamp=offsets.map(START.__add__),
        metadata=counted_metadata | st.just({}),
    )
    events = data.draw(st.lists(stored, min_size=8, max_size=30, unique_by=lambda one: one["id"]))
    filter_ = data.draw(some_filters)
    bounds = offsets.map(START.__add__) | st.sampled_from([one["timestamp"] for one in events])
    window = Window(*sorted(data.draw(st.tuples(bounds, bounds))))
    organization = await Organization.create(name="Test", slug=str(uuid4()))
    aggregation = Aggregation(function, None if function is AggregationFunction.COUNT else "n")
    meter = await meter_on(organization.id, parsed(filter_), aggregation)
    counted = 0
    while counted < len(events):
        number = data.draw(st.integers(1, 10))
        await store(database, organization.id, events[counted : counted + number])
        await drain(organization.id)
        counted += number

        found = await top_customers(database, meter, window, 10)

        assert found == expected_of(filter_, aggregation, events[:counted], window)


async def test_a_kept_range_is_read_instead_of_the_buckets(
    database: BaseDBAsyncClient, organization: Organization, of_any_size: None
) -> None:
    meter = await meter_on(organization.id, Filter(), COUNT)
    await count_more(database, organization.id, 3, 2)
    assert await quantities(database, meter) == [3, 2]
    await UsageBucket.filter(meter_id=meter.id).delete()
    assert await quantities(database, meter) == [3, 2]
    await count_more(database, organization.id, 0, 2, 1)
    assert await quantities(database, meter) == [3, 4, 1]


async def test_a_range_is_kept_again_when_many_events_came_since(
    database: BaseDBAsyncClient, organization: Organization, of_any_size: None
) -> None:
    meter = await meter_on(organization.id, Filter(), COUNT)
    await count_more(database, organization.id, 3, 2, 1)
    await quantities(database, meter)
    [first] = await positions(meter)
    await count_more(database, organization.id, 2)
    assert await quantities(database, meter) == [5, 2, 1]
    assert await positions(meter) == [first]
    await count_more(database, organization.id, 1)
    assert await quantities(database, meter) == [6, 2, 1]
    assert await positions(meter) == [first + 2]
    assert await quantities(database, meter) == [6, 2, 1]


async def test_a_range_far_behind_is_read_from_the_buckets(
    database: BaseDBAsyncClient,
    organization: Organization,
    of_any_size: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kept_ranges, "MOST_EVENTS_PER_CUSTOMER", 2)
    meter = await meter_on(organization.id, Filter(), COUNT)
    await count_more(database, organization.id, 1)
    await quantities(database, meter)
    await UsageRange.filter(meter_id=meter.id).update(count=[1_000])
    await count_more(database, organization.id, 2)
    assert await quantities(database, meter) == [1_002]
    await UsageRange.filter(meter_id=meter.id).update(count=[1_000], position=1, events=1)
    await count_more(database, organization.id, 1)
    assert await quantities(database, meter) == [4]


async def test_a_repair_makes_kept_ranges_count_no_more(
    database: BaseDBAsyncClient, organization: Organization, of_any_size: None
) -> None:
    meter = await Meter.get(id=(await meter_on(organization.id, Filter(), COUNT)).id)
    await count_more(database, organization.id, 3)
    await UsageBucket.filter(meter_id=meter.id, customer_id=CUSTOMERS[0]).update(count=7)
    assert await quantities(database, meter) == [7]
    row = await CustomerMeter.get(meter_id=meter.id)
    await recompute_customer_meter(organization.id, row.id)
    assert await quantities(database, meter) == [3]


async def test_a_repair_in_a_question_s_midst_leaves_nothing_wrong(
    database: BaseDBAsyncClient, organization: Organization, of_any_size: None
) -> None:
    meter = await Meter.get(id=(await meter_on(organization.id, Filter(), COUNT)).id)
    await count_more(database, organization.id, 3)
    await UsageBucket.filter(meter_id=meter.id, customer_id=CUSTOMERS[0]).update(count=7)
    row = await CustomerMeter.get(meter_id=meter.id)
    async with in_transaction() as asking:
        await asking.execute_query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        asked = await definition_of(meter)
        await asyncio.create_task(
            recompute_customer_meter(organization.id, row.id), context=Context()
        )
        found = await top_customers(asking, asked, WINDOW, 10)
        assert [one.quantity for one in found] == [7]
    assert await quantities(database, meter) == [3]


async def test_a_definition_of_the_past_keeps_nothing(
    database: BaseDBAsyncClient, organization: Organization, of_any_size: None
) -> None:
    meter = await Meter.get(id=(await meter_on(organization.id, named("none"), COUNT)).id)
    past = await definition_of(meter)
    await count_more(database, organization.id, 3)
    changes = MeterChanges(filter=Filter())
    await update_meter(organization.id, meter.id, changes)
    await catch_up_all(organization.id)
    assert await quantities(database, past) == [3]
    assert await positions(meter) == []
    assert await quantities(database, meter) == [3]
    assert len(await positions(meter)) == 1


async def not_in_use(
    _connection: BaseDBAsyncClient, _organization_id: UUID, _meter_id: UUID
) -> None:
    return None


async def test_an_archived_meter_keeps_its_range_and_continues_when_unarchived(
    database: BaseDBAsyncClient, organization: Organization, of_any_size: None
) -> None:
    meter = await Meter.get(id=(await meter_on(organization.id, Filter(), COUNT)).id)
    await count_more(database, organization.id, 3, 1)
    assert await quantities(database, meter) == [3, 1]
    await archive_meter(organization.id, meter.id, not_in_use)
    await count_more(database, organization.id, 50, 50)
    assert await quantities(database, meter) == [3, 1]
    await unarchive_meter(organization.id, meter.id)
    assert await quantities(database, meter) == [3, 1]
    await catch_up_all(organization.id)
    assert await quantities(database, meter) == [53, 51]


async def test_nothing_is_kept_for_few_customers(
    database: BaseDBAsyncClient, organization: Organization
) -> None:
    meter = await meter_on(organization.id, Filter(), COUNT)
    await count_more(database, organization.id, 3, 1)
    assert await quantities(database, meter) == [3, 1]
    assert await positions(meter) == []


async def test_nothing_is_kept_for_too_many_customers(
    database: BaseDBAsyncClient,
    organization: Organization,
    of_any_size: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kept_ranges, "MOST_CUSTOMERS", 1)
    meter = await meter_on(organization.id, Filter(), COUNT)
    await count_more(database, organization.id, 3)
    assert await quantities(database, meter) == [3]
    assert len(await positions(meter)) == 1
    await count_more(database, organization.id, 1_000, 1_001)
    assert await quantities(database, meter) == [1_003, 1_001]
    assert await positions(meter) == [1]


async def test_a_range_of_few_of_many_customers_is_kept(
    database: BaseDBAsyncClient,
    organization: Organization,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kept_ranges, "FEWEST_CUSTOMERS", 2)
    meter = await meter_on(organization.id, Filter(), COUNT)
    await store(database, organization.id, calls(CUSTOMERS[1], 4, timedelta(days=40)))
    await count_more(database, organization.id, 3)
    assert await quantities(database, meter) == [3]
    assert len(await positions(meter)) == 1
    await UsageBucket.filter(meter_id=meter.id).delete()
    assert await quantities(database, meter) == [3]


async def test_a_read_only_database_answers_all_the_same(
    settings: Settings, fresh_database_url: str, of_any_size: None
) -> None:
    async with opened_database(settings, role="tests"):
        database = get_connection("default")
        organization = await Organization.create(name="Test", slug="test")
        meter = await meter_on(organization.id, Filter(), COUNT)
        await count_more(database, organization.id, 3, 1)
        (row,) = await database.execute_query_dict("SELECT current_database() AS name")
        await database.execute_query(
            f'ALTER DATABASE "{row["name"]}" SET default_transaction_read_only = on'
        )
    async with opened_database(settings, role="tests"):
        assert await quantities(get_connection("default"), meter) == [3, 1]


async def test_two_at_once_keep_one_range(
    database: BaseDBAsyncClient, organization: Organization, of_any_size: None
) -> None:
    meter = await meter_on(organization.id, Filter(), COUNT)
    await count_more(database, organization.id, 3, 1)
    answers = await asyncio.gather(*(quantities(database, meter) for _ in range(4)))
    assert answers == [[3, 1]] * 4
    assert len(await positions(meter)) == 1


async def test_a_meter_keeps_the_newest_of_its_ranges(
    database: BaseDBAsyncClient,
    organization: Organization,
    of_any_size: None,
) -> None:
    meter = await meter_on(organization.id, Filter(), COUNT)
    await count_more(database, organization.id, 1)
    for days in range(1, 20):
        window = Window(START, START + timedelta(days=days))
        assert await top_customers(database, meter, window, 1) == [
            CustomerUsage(CUSTOMERS[0], 1)  # type: ignore[arg-type]
        ]
    ends = await UsageRange.filter(meter_id=meter.id).order_by("range_end").values("range_end")
    assert [row["range_end"] for row in ends] == [
        START + timedelta(days=days) for days in range(4, 20)
    ]

"""Events with which counting fails: everything else goes on, and stays exact."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import asyncpg
import pytest
from arq.connections import ArqRedis
from tortoise.backends.base.client import BaseDBAsyncClient

from metering.counting.catch_up import catch_up
from metering.counting.log import advance
from metering.counting.progress import Progress, progress
from metering.language.aggregations import Aggregation, AggregationFunction
from metering.language.definition import COLUMNS, MeterDefinition, meter_definition
from metering.language.filters import Filter
from metering.meters import MeterChanges, create_meter, update_meter
from metering.usage.ranges import usage
from metering.usage.windows import Window
from models import CustomerMeter, EventBatch, Meter, Organization, UncountedEvent
from tests.ingesting import NOON, catch_up_all, drain, send, usages
from workers.process_events import Counting

# Too much for a bucket here; an invoice still holds it, in minor units.
POISON = 10**15


async def refuse_poison(database: BaseDBAsyncClient, sqlstate: str = "22003") -> None:
    """Makes the database fail on buckets with a huge value in them."""
    await database.execute_script(
        f"""
        CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'too much for a bucket' USING ERRCODE = '{sqlstate}';
        END $$;
        CREATE OR REPLACE TRIGGER refuse BEFORE INSERT OR UPDATE ON usage_bucket FOR EACH ROW
        WHEN (NEW.sum > 1e11 OR NEW.maximum > 1e11) EXECUTE FUNCTION refuse();
        """
    )


async def meter_of(organization: Organization, function: AggregationFunction) -> Meter:
    named = None if function is AggregationFunction.COUNT else "tokens"
    return await create_meter(
        organization.id, function, None, Filter(), Aggregation(function, named)
    )


async def definition_of(database: BaseDBAsyncClient, meter: Meter) -> MeterDefinition:
    rows = await database.execute_query_dict(
        f"SELECT {COLUMNS} FROM meter WHERE id = $1", [meter.id]
    )
    return meter_definition(rows[0])


async def progress_of(meter: Meter) -> Progress:
    await meter.refresh_from_db()
    return (await progress(meter.organization_id, [meter]))[0]


async def consumed(meter: Meter) -> Decimal:
    return sum(
        [row.consumed for row in await CustomerMeter.filter(meter_id=meter.id)], start=Decimal(0)
    )


async def uncounted(meter: Meter) -> set[UUID]:
    return {row.event_id for row in await UncountedEvent.filter(meter_id=meter.id)}


async def test_a_poisoned_event_is_left_out_and_nothing_else(
    fresh_database: BaseDBAsyncClient, organization: Organization
) -> None:
    await refuse_poison(fresh_database)
    total = await meter_of(organization, AggregationFunction.SUM)
    number = await meter_of(organization, AggregationFunction.COUNT)

    await send(organization.id, *usages([1, 2]))
    receipts = await send(organization.id, *usages([3, POISON, 4]))
    await send(organization.id, *usages([5]))
    step = await advance(organization.id)

    assert step is not None
    assert (step.state.head, step.fallen_behind) == (3, (total.id,))
    assert await consumed(number) == 6
    behind = await progress_of(total)
    assert (total.position, behind.counted_events, behind.pending_events) == (0, 0, 6)

    await catch_up_all(organization.id)

    found = await progress_of(total)
    assert (total.position, found.counted_events, found.pending_events) == (None, 5, 0)
    assert await consumed(total) == 15
    assert await uncounted(total) == {receipts[1].event_id}
    assert found.failed_events == 1
    (problem,) = found.problems
    assert str(receipts[1].event_id) in problem
    assert "too much for a bucket" in problem
    whole = await progress_of(number)
    assert (whole.failed_events, whole.problems) == (0, ())

    await send(organization.id, *usages([6]))
    await drain(organization.id)
    assert await consumed(total) == 21


async def test_many_poisoned_events_in_a_history_are_each_found(
    fresh_database: BaseDBAsyncClient, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metering.counting.isolation.MAXIMUM_CULPRITS", 4)
    values = [POISON if number % 37 == 5 else number for number in range(400)]
    events = usages(values, timedelta(seconds=90))
    for number, event in enumerate(events):
        event["externalCustomerId"] = f"c{number % 3}"
    receipts = [
        receipt
        for start in range(0, 400, 50)
        for receipt in await send(organization.id, *events[start : start + 50])
    ]
    await drain(organization.id)
    await refuse_poison(fresh_database)
    meters = {
        function: await meter_of(organization, function)
        for function in (AggregationFunction.SUM, AggregationFunction.MAXIMUM)
    }

    await catch_up_all(organization.id)

    good = [value for value in values if value != POISON]
    bad = {
        receipt.event_id for receipt, value in zip(receipts, values, strict=True) if value == POISON
    }
    everything = [Window(NOON, NOON + timedelta(days=30))]
    for function, meter in meters.items():
        assert await uncounted(meter) == bad
        found = await progress_of(meter)
        assert (meter.position, found.counted_events) == (None, len(good))
        used = await usage(fresh_database, await definition_of(fresh_database, meter), everything)
        expected = sum(good) if function is AggregationFunction.SUM else max(good)
        assert used.total.quantity == expected
    assert await consumed(meters[AggregationFunction.SUM]) == sum(good)


async def test_usage_at_the_edges_of_a_range_leaves_uncounted_events_out(
    fresh_database: BaseDBAsyncClient, organization: Organization
) -> None:
    await refuse_poison(fresh_database)
    total = await meter_of(organization, AggregationFunction.SUM)
    await send(organization.id, *usages([1, POISON, 2], timedelta(minutes=1)))
    await drain(organization.id)
    await catch_up_all(organization.id)

    window = Window(NOON + timedelta(seconds=30), NOON + timedelta(minutes=3))
    used = await usage(fresh_database, await definition_of(fresh_database, total), [window])

    assert used.total.quantity == 2


async def test_a_meter_that_always_fails_stays_behind_and_the_others_go_on(
    fresh_database: BaseDBAsyncClient, organization: Organization, redis: ArqRedis
) -> None:
    await refuse_poison(fresh_database, sqlstate="42883")
    total = await meter_of(organization, AggregationFunction.SUM)
    number = await meter_of(organization, AggregationFunction.COUNT)
    counting = Counting(redis)
    for _ in range(2):
        await send(organization.id, *usages([1, POISON]))
        await counting.process_events(organization.id)
        await counting.catch_up_meters(organization.id)

    assert await consumed(number) == 4
    stuck = await progress_of(total)
    assert (total.position, stuck.counted_events, stuck.pending_events) == (0, 0, 4)
    assert stuck.failed_events == 0

    await fresh_database.execute_script("DROP TRIGGER refuse ON usage_bucket")
    await counting.catch_up_meters(organization.id)
    assert await consumed(total) == 2 + 2 * POISON


@pytest.mark.parametrize("sqlstate", ["40001", "53100", "57014"])
async def test_a_failure_that_passes_leaves_the_batch_pending(
    fresh_database: BaseDBAsyncClient, organization: Organization, sqlstate: str
) -> None:
    await refuse_poison(fresh_database, sqlstate)
    total = await meter_of(organization, AggregationFunction.SUM)
    await send(organization.id, *usages([1, POISON]))
    with pytest.raises(asyncpg.PostgresError):
        await advance(organization.id)
    assert await EventBatch.filter(organization_id=organization.id, position=None).count() == 1

    await fresh_database.execute_script("DROP TRIGGER refuse ON usage_bucket")
    await drain(organization.id)
    assert await consumed(total) == 1 + POISON
    assert await uncounted(total) == set()


async def test_the_worker_isolates_by_itself(
    fresh_database: BaseDBAsyncClient, organization: Organization, redis: ArqRedis
) -> None:
    await refuse_poison(fresh_database)
    total = await meter_of(organization, AggregationFunction.SUM)
    counting = Counting(redis)
    await send(organization.id, *usages([1, POISON, 2]))

    await counting.sweep()
    await counting.catch_up_meters(organization.id)

    assert await consumed(total) == 3
    assert len(await uncounted(total)) == 1


async def test_a_meter_that_is_changed_forgets_what_it_could_not_count(
    fresh_database: BaseDBAsyncClient, organization: Organization
) -> None:
    await refuse_poison(fresh_database)
    total = await meter_of(organization, AggregationFunction.SUM)
    await send(organization.id, *usages([POISON]))
    await drain(organization.id)
    await catch_up_all(organization.id)
    assert len(await uncounted(total)) == 1

    changed = await update_meter(
        organization.id, total.id, MeterChanges(aggregation=Aggregation(AggregationFunction.COUNT))
    )

    assert isinstance(changed, Meter)
    assert await uncounted(total) == set()
    more = (await catch_up(organization.id, total.id)).is_more
    assert not more
    assert await consumed(total) == 1

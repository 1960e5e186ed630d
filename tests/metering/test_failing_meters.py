"""A meter that cannot be counted falls behind and says why; everything else goes on."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import asyncpg
import pytest
from arq.connections import ArqRedis
from tortoise.backends.base.client import BaseDBAsyncClient

from metering.counting.catch_up import Chunk, catch_up, meters_behind
from metering.counting.event_names import event_names
from metering.counting.log import advance
from metering.counting.progress import Progress, progress
from metering.language.aggregations import Aggregation, AggregationFunction
from metering.language.filters import Filter
from metering.meters import MeterChanges, archive_meter, create_meter, update_meter
from models import CustomerMeter, EventBatch, Meter, Organization
from tests.faults.exactness import assert_exact
from tests.ingesting import catch_up_all, drain, send, usages
from tests.metering.poison import POISON, accept_poison, let_retry, refuse_poison
from workers.process_events import Counting


async def meter_of(organization: Organization, function: AggregationFunction) -> Meter:
    named = None if function is AggregationFunction.COUNT else "tokens"
    return await create_meter(
        organization.id, function, None, Filter(), Aggregation(function, named)
    )


async def progress_of(meter: Meter) -> Progress:
    await meter.refresh_from_db()
    return (await progress(meter.organization_id, [meter]))[0]


async def consumed(meter: Meter) -> Decimal:
    return sum(
        [row.consumed for row in await CustomerMeter.filter(meter_id=meter.id)], start=Decimal(0)
    )


async def test_a_meter_that_fails_falls_behind_and_the_others_go_on(
    fresh_database: BaseDBAsyncClient, organization: Organization
) -> None:
    await refuse_poison(fresh_database)
    total = await meter_of(organization, AggregationFunction.SUM)
    number = await meter_of(organization, AggregationFunction.COUNT)

    for values in ([1, 2], [3, POISON, 4], [5]):
        await send(organization.id, *usages(values))
    step = await advance(organization.id)

    assert step is not None
    assert step.state.head == 3
    assert await consumed(number) == 6
    assert (await progress_of(number)).problem is None
    assert [use.occurrences for use in await event_names(organization.id)] == [6]
    behind = await progress_of(total)
    assert (total.position, behind.counted_events, behind.pending_events) == (0, 0, 6)
    assert behind.problem is not None
    assert behind.problem.startswith("NumericValueOutOfRangeError: ")
    assert "too much for a bucket" in behind.problem


@pytest.mark.parametrize("sqlstate", ["22003", "42883", "XX000", "P0001"])
async def test_once_the_cause_is_gone_the_worker_counts_everything_exactly(
    fresh_database: BaseDBAsyncClient, organization: Organization, redis: ArqRedis, sqlstate: str
) -> None:
    await refuse_poison(fresh_database, sqlstate)
    total = await meter_of(organization, AggregationFunction.SUM)
    number = await meter_of(organization, AggregationFunction.COUNT)
    counting = Counting(redis)
    for _ in range(2):
        await send(organization.id, *usages([1, POISON]))
        await counting.sweep()
        await let_retry(total)
        await counting.catch_up_meters(organization.id)

    assert await consumed(number) == 4
    stuck = await progress_of(total)
    assert (total.position, stuck.counted_events, stuck.pending_events) == (0, 0, 4)
    assert stuck.problem is not None

    await accept_poison(fresh_database)
    await counting.catch_up_meters(organization.id)
    assert await consumed(total) == 0  # the pause is not over
    await let_retry(total)
    await counting.catch_up_meters(organization.id)

    found = await progress_of(total)
    assert (total.position, found.counted_events, found.pending_events) == (None, 4, 0)
    assert found.problem is None
    assert (total.failing_since, total.retry_at) == (None, None)
    assert await consumed(total) == 2 + 2 * POISON
    assert await assert_exact(organization.id) == 4


async def test_a_failing_history_holds_back_its_own_meter_only(
    fresh_database: BaseDBAsyncClient, organization: Organization, redis: ArqRedis
) -> None:
    await send(organization.id, *usages([1, POISON, 2]))
    await drain(organization.id)
    await refuse_poison(fresh_database)
    total = await meter_of(organization, AggregationFunction.SUM)
    number = await meter_of(organization, AggregationFunction.COUNT)

    await Counting(redis).catch_up_meters(organization.id)

    assert await consumed(number) == 3
    stuck = await progress_of(total)
    assert (total.position, stuck.pending_events) == (0, 3)
    assert stuck.problem is not None
    assert await meters_behind(organization.id) == []


async def test_pauses_grow_with_the_time_that_a_meter_has_been_failing(
    fresh_database: BaseDBAsyncClient, organization: Organization
) -> None:
    await refuse_poison(fresh_database)
    total = await meter_of(organization, AggregationFunction.SUM)
    await send(organization.id, *usages([POISON]))
    await drain(organization.id)
    shortest, longest = timedelta(seconds=1), timedelta(minutes=5)
    for failing in (timedelta(), timedelta(minutes=1), timedelta(days=1)):
        before = datetime.now(UTC)
        since = before - failing
        await Meter.filter(id=total.id).update(failing_since=since)
        assert await catch_up(organization.id, total.id) is Chunk.NOTHING
        after = datetime.now(UTC)
        await total.refresh_from_db()
        assert total.failing_since == since
        assert total.retry_at is not None
        earliest, latest = (at + min(max(at - since, shortest), longest) for at in (before, after))
        assert earliest <= total.retry_at <= latest


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
    assert (await progress_of(total)).problem is None

    await accept_poison(fresh_database)
    await drain(organization.id)
    assert await consumed(total) == 1 + POISON


async def test_a_meter_that_is_changed_is_tried_at_once(
    fresh_database: BaseDBAsyncClient, organization: Organization
) -> None:
    await refuse_poison(fresh_database)
    total = await meter_of(organization, AggregationFunction.SUM)
    await send(organization.id, *usages([POISON]))
    await drain(organization.id)
    assert (await progress_of(total)).problem is not None

    changed = await update_meter(
        organization.id, total.id, MeterChanges(aggregation=Aggregation(AggregationFunction.COUNT))
    )

    assert isinstance(changed, Meter)
    assert (await progress_of(total)).problem is None
    await catch_up_all(organization.id)
    assert await consumed(total) == 1


async def test_an_archived_meter_no_longer_fails(
    fresh_database: BaseDBAsyncClient, organization: Organization
) -> None:
    async def unused(*_arguments: object) -> None:
        """Nothing needs the meter."""

    await refuse_poison(fresh_database)
    total = await meter_of(organization, AggregationFunction.SUM)
    await send(organization.id, *usages([POISON]))
    await drain(organization.id)

    await archive_meter(organization.id, total.id, unused)

    assert (await progress_of(total)).problem is None
    assert await catch_up(organization.id, total.id) is Chunk.NOTHING
    assert (await progress_of(total)).problem is None

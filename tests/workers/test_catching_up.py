"""Meters that are behind take turns, and new events do not wait for anyone's history."""

import asyncio
from uuid import UUID, uuid4

import pytest
from arq.connections import ArqRedis
from tortoise.backends.base.client import BaseDBAsyncClient

from metering.counting.catch_up import Chunk, catch_up
from metering.language.aggregations import Aggregation, AggregationFunction
from metering.language.filters import Clause, ClauseOperator, Filter
from metering.live.wakeup import CATCH_UP_METERS, PROCESS_EVENTS, Wake, open_queue
from metering.meters import create_meter
from models import Meter, Organization
from tests.ingesting import drain, send
from tests.webhooks.world import nothing_to_deliver
from workers.announced_jobs import AnnouncedJobs
from workers.outages import database_outage
from workers.process_events import Counting
from workers.settings import build_worker

COUNT = Aggregation(AggregationFunction.COUNT)
RARE = Filter(clauses=(Clause("name", ClauseOperator.EQUALS, "rare"),))


async def test_a_meter_that_comes_later_does_not_wait_for_a_long_history(
    organization: Organization, redis: ArqRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metering.counting.catch_up.CHUNK_EVENTS", 2)
    monkeypatch.setattr("metering.counting.catch_up.LAST_STRETCH_EVENTS", 2)
    for _ in range(8):
        await send(organization.id, {}, {})
    await drain(organization.id)
    long = await create_meter(organization.id, "Long", None, Filter(), COUNT)
    made: list[Meter] = []
    chunks: list[tuple[str, bool]] = []

    async def counted(organization_id: UUID, meter_id: UUID) -> Chunk:
        found = await catch_up(organization_id, meter_id)
        chunks.append(("long" if meter_id == long.id else "rare", found.is_more))
        if not made:
            made.append(await create_meter(organization.id, "Rare", None, RARE, COUNT))
        return found

    monkeypatch.setattr("workers.process_events.catch_up", counted)
    await Counting(redis).catch_up_meters(organization.id)

    assert chunks[:3] == [("long", True), ("long", True), ("rare", False)]
    assert chunks[-1] == ("long", False)
    assert [row.position for row in await Meter.filter(organization_id=organization.id)] == [
        None,
        None,
    ]
    await long.refresh_from_db()
    assert long.counted_events == 16


async def test_histories_of_many_organizations_leave_room_for_new_events(
    redis: ArqRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    catching_up: set[UUID] = set()
    everybody = {uuid4() for _ in range(30)}
    all_begun, counted = asyncio.Event(), asyncio.Event()

    async def catch_up_until_then(_counting: Counting, organization_id: UUID) -> None:
        catching_up.add(organization_id)
        if catching_up == everybody:
            all_begun.set()
        await counted.wait()

    async def process(_counting: Counting, _organization_id: UUID) -> None:
        counted.set()

    async def send_new_events() -> None:
        await all_begun.wait()
        await Wake(PROCESS_EVENTS, uuid4()).perform(redis)

    monkeypatch.setattr(Counting, "catch_up_meters", catch_up_until_then)
    monkeypatch.setattr(Counting, "process_events", process)
    for organization_id in everybody:
        await Wake(CATCH_UP_METERS, organization_id).perform(redis)
    worker = build_worker(
        redis, Counting(redis), nothing_to_deliver(redis), database_outage(), AnnouncedJobs(redis)
    )
    worker.burst = True
    async with asyncio.timeout(60):
        await asyncio.gather(worker.async_run(), send_new_events())
    assert counted.is_set()


async def test_without_redis_new_events_do_not_wait_for_a_long_history(
    fresh_database: BaseDBAsyncClient, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metering.counting.catch_up.CHUNK_EVENTS", 2)
    monkeypatch.setattr("metering.counting.catch_up.LAST_STRETCH_EVENTS", 2)
    live = await create_meter(organization.id, "Live", None, Filter(), COUNT)
    for _ in range(8):
        await send(organization.id, {}, {})
    await drain(organization.id)
    long = await create_meter(organization.id, "Long", None, Filter(), COUNT)
    gone = open_queue("redis://127.0.0.1:1/0")
    counting = Counting(gone)

    await counting.sweep_histories()
    await long.refresh_from_db()
    assert long.position is not None
    assert long.counted_events == 2
    await send(organization.id, {})
    await counting.sweep()
    await live.refresh_from_db()
    assert live.counted_events == 17

    for _ in range(8):
        await counting.sweep_histories()
    await long.refresh_from_db()
    assert (long.position, long.counted_events) == (None, 17)
    await gone.aclose()


async def test_few_histories_are_counted_at_once(
    redis: ArqRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    under_way: list[UUID] = []
    most = 0

    async def chunk(_organization_id: UUID, meter_id: UUID) -> Chunk:
        nonlocal most
        under_way.append(meter_id)
        most = max(most, len(under_way))
        for _ in range(10):
            await asyncio.sleep(0)
        under_way.remove(meter_id)
        return Chunk.NOTHING

    async def one_meter(_organization_id: UUID) -> list[UUID]:
        return [uuid4()]

    monkeypatch.setattr("workers.process_events.catch_up", chunk)
    monkeypatch.setattr("workers.process_events.meters_behind", one_meter)
    counting = Counting(redis)
    await asyncio.gather(*(counting.catch_up_meters(uuid4()) for _ in range(10)))
    assert most == 2


async def test_a_sweep_leaves_an_organization_that_takes_long_to_itself(
    fresh_database: BaseDBAsyncClient,
    organization: Organization,
    other_organization: Organization,
    redis: ArqRedis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("workers.process_events._SWEEP_SECONDS", 0.05)
    begun, ended, counted = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def process(_counting: Counting, organization_id: UUID) -> None:
        if organization_id == other_organization.id:
            counted.set()
            return
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    monkeypatch.setattr(Counting, "process_events", process)
    await send(organization.id, {})
    counting = Counting(redis)
    async with asyncio.timeout(60):
        await counting.sweep()
        await begun.wait()
        await send(other_organization.id, {})
        await counting.sweep()
        await counted.wait()
        counting.end()
        await ended.wait()


async def test_sweeps_do_not_pile_up_behind_an_organization_that_takes_long(
    fresh_database: BaseDBAsyncClient,
    organization: Organization,
    redis: ArqRedis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("workers.process_events._SWEEP_SECONDS", 0.01)
    begun, ended = asyncio.Event(), asyncio.Event()
    runs = 0

    async def process(_counting: Counting, _organization_id: UUID) -> None:
        nonlocal runs
        runs += 1
        begun.set()
        await ended.wait()

    monkeypatch.setattr(Counting, "process_events", process)
    await send(organization.id, {})
    counting = Counting(redis)
    async with asyncio.timeout(60):
        for _ in range(5):
            await counting.sweep()
        await begun.wait()
        assert runs == 1
        ended.set()
        while runs < 2:
            await counting.sweep()

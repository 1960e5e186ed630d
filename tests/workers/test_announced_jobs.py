"""A worker looks for jobs when they are announced, and finds those whose announcement was lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import pytest
from arq.connections import ArqRedis
from arq.worker import Worker

from metering.live import pulse
from metering.live.wakeup import JOBS_CHANNEL, PROCESS_EVENTS, Wake, open_queue
from tests.silence import proxied
from tests.webhooks.world import nothing_to_deliver
from workers import announced_jobs
from workers.announced_jobs import AnnouncedJobs
from workers.outages import database_outage
from workers.process_events import Counting
from workers.settings import build_worker, end_tasks

_NEVER = 600.0


class Processed:
    """The organizations whose events were counted; each job ends after `release`."""

    def __init__(self) -> None:
        self._organizations: asyncio.Queue[UUID] = asyncio.Queue()
        self.release = asyncio.Event()
        self.release.set()

    async def process(self, organization_id: UUID) -> None:
        self._organizations.put_nowait(organization_id)
        await self.release.wait()

    async def next(self) -> UUID:
        async with asyncio.timeout(60):
            return await self._organizations.get()


@pytest.fixture
def processed(monkeypatch: pytest.MonkeyPatch) -> Processed:
    processed = Processed()
    monkeypatch.setattr(
        Counting, "process_events", lambda _counting, organization: processed.process(organization)
    )
    return processed


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """One entry for each time that a worker looked for jobs."""
    looks: list[None] = []
    look = Worker._poll_iteration  # noqa: SLF001  # what a look is

    async def counted(worker: Worker) -> None:
        looks.append(None)
        await look(worker)

    monkeypatch.setattr(Worker, "_poll_iteration", counted)
    return looks


@asynccontextmanager
async def working(redis: ArqRedis, announced: AnnouncedJobs) -> AsyncIterator[None]:
    worker = build_worker(
        redis, Counting(redis), nothing_to_deliver(redis), database_outage(), announced
    )
    running = asyncio.create_task(worker.async_run())
    try:
        yield
    finally:
        await end_tasks(running, *worker.tasks.values())


@asynccontextmanager
async def listening(announced: AnnouncedJobs) -> AsyncIterator[None]:
    task = asyncio.create_task(announced.listen())
    try:
        yield
    finally:
        await end_tasks(task)


async def are_listening(redis: ArqRedis, listeners: int) -> None:
    async with asyncio.timeout(60):
        while await redis.pubsub_numsub(JOBS_CHANNEL) != [(JOBS_CHANNEL.encode(), listeners)]:  # noqa: ASYNC110  # Redis tells nobody
            await asyncio.sleep(0.01)


async def test_an_idle_worker_only_looks_when_a_job_is_announced(
    redis: ArqRedis, processed: Processed, looks: list[None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announced_jobs, "_SECONDS_BETWEEN_LOOKS", _NEVER)
    organizations = [uuid4() for _ in range(3)]
    announced = AnnouncedJobs(redis)
    async with listening(announced), working(redis, announced):
        await are_listening(redis, 1)
        for organization_id in organizations:
            await Wake(PROCESS_EVENTS, organization_id).perform(redis)
            assert await processed.next() == organization_id
    # When it began, when it could hear, and for each job.
    assert len(looks) <= 2 + len(organizations)


async def test_jobs_from_before_and_jobs_whose_announcement_was_lost_are_taken(
    redis: ArqRedis, processed: Processed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announced_jobs, "_SECONDS_BETWEEN_LOOKS", 0.05)
    before, lost = uuid4(), uuid4()
    await Wake(PROCESS_EVENTS, before).perform(redis)
    async with working(redis, AnnouncedJobs(redis)):
        assert await processed.next() == before
        await Wake(PROCESS_EVENTS, lost).perform(redis)
        assert await processed.next() == lost


async def test_jobs_are_heard_of_again_after_the_connection_fell_silent(
    redis: ArqRedis,
    servers: tuple[str, str],
    processed: Processed,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(announced_jobs, "_SECONDS_BETWEEN_LOOKS", _NEVER)
    monkeypatch.setattr(announced_jobs, "SECONDS_OF_SILENCE", 0.05)
    monkeypatch.setattr(pulse, "_SECONDS_FOR_PONG", 1.0)
    organization_id = uuid4()
    with proxied(servers[1]) as proxy:
        distant = open_queue(proxy.url)
        announced = AnnouncedJobs(distant)
        async with listening(announced), working(redis, announced):
            await are_listening(redis, 1)
            proxy.silence()
            # The old connection's end is lost, so that Redis believes in two listeners.
            await are_listening(redis, 2)
            await Wake(PROCESS_EVENTS, organization_id).perform(redis)
            assert await processed.next() == organization_id
        await distant.aclose()


async def test_a_full_worker_takes_what_it_left_as_soon_as_a_job_ends(
    redis: ArqRedis, processed: Processed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announced_jobs, "_SECONDS_BETWEEN_LOOKS", _NEVER)
    monkeypatch.setattr("workers.settings._JOBS_AT_ONCE", 1)
    processed.release.clear()
    first, second = uuid4(), uuid4()
    for organization_id in (first, second):
        await Wake(PROCESS_EVENTS, organization_id).perform(redis)
    async with working(redis, AnnouncedJobs(redis)):
        begun = await processed.next()
        processed.release.set()
        assert {begun, await processed.next()} == {first, second}

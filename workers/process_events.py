"""Counts events: pending batches into live meters, history into meters that are behind."""

import asyncio
import contextlib
import time
from typing import Any
from uuid import UUID

import structlog
from arq.connections import ArqRedis
from tortoise.connection import get_connection

from metering.counting.catch_up import IS_BEHIND, Chunk, catch_up, meters_behind
from metering.counting.log import MAXIMUM_BATCHES, MAXIMUM_EVENTS, advance
from metering.live.redis_connections import REDIS_FAILURES
from metering.live.wakeup import (
    CATCH_UP_METERS,
    GATHERING_SECONDS,
    PROCESS_EVENTS,
    Wake,
    answer,
)
from waiting.outages import Outage, is_outage
from waiting.patience import Patience
from workers.measurements import Activity, Measurements
from workers.outages import outlives_database
from workers.single_flight import SingleFlight

_log = structlog.get_logger(__name__)

# A process counts this many organizations' histories at once, to leave the machine and the pool's
# connections to new events.
_CHUNKS_AT_ONCE = 2
# A sweep counts this many organizations at once, and does not wait for slow ones.
_SWEPT_AT_ONCE = 4
_SWEEP_SECONDS = 2.0


class Counting:
    """Counts events in one worker process.

    Each step waits for PostgreSQL with `Patience`: if its connection falls silent, the step fails
    soon and the next one uses another connection.
    """

    def __init__(
        self,
        redis: ArqRedis,
        measurements: Measurements | None = None,
        activity: Activity | None = None,
        database: Outage | None = None,
    ) -> None:
        self._redis = redis
        self._measurements = measurements or Measurements(redis)
        self._activity = activity or Activity()
        self._database = database or Outage("PostgreSQL")
        self._process = SingleFlight(self._count_pending)
        self._catch_up = SingleFlight(self._count_history)
        self._chunks = asyncio.Semaphore(_CHUNKS_AT_ONCE)
        self._sweeping = asyncio.Semaphore(_SWEPT_AT_ONCE)
        self._swept: dict[UUID, asyncio.Task[None]] = {}
        self._patience = Patience()
        self._next_step: dict[UUID, float] = {}

    async def let_gather(self, organization_id: UUID) -> None:
        """Waits until the organization's next step is due."""
        due = self._next_step.pop(organization_id, 0.0)
        await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def process_events(self, organization_id: UUID) -> None:
        """Counts every pending batch of the organization into its live meters."""
        await self._process.run(organization_id)

    async def catch_up_meters(self, organization_id: UUID) -> None:
        """Counts history until every meter of the organization is live."""
        await self._catch_up.run(organization_id)

    async def sweep(self) -> None:
        """Counts pending events of all organizations, in case a wake-up was lost.

        After a while it stops waiting for organizations that take long, so that the others' new
        events wait for the next sweep at most.
        """
        found = await self._organizations(
            "SELECT DISTINCT organization_id FROM event_batch WHERE position IS NULL"
        )
        begun = {
            one: asyncio.create_task(self._process_swept(one)) for one in found - self._swept.keys()
        }
        self._swept |= begun
        if begun:
            await asyncio.wait(begun.values(), timeout=_SWEEP_SECONDS)

    def end(self) -> None:
        """Cancels the counting that sweeps started; its batches are pending again."""
        for task in self._swept.values():
            task.cancel()

    async def sweep_histories(self) -> None:
        """Lets meters that are behind catch up, in case a wake-up was lost."""
        for organization_id in await self._organizations(
            f"SELECT DISTINCT organization_id FROM meter WHERE {IS_BEHIND}"
        ):
            try:
                await Wake(CATCH_UP_METERS, organization_id).perform(self._redis)
            except REDIS_FAILURES:
                # Without a queue, this process counts one chunk per sweep itself: new events and
                # the queue's return wait for the end of the sweep.
                await self._count_chunks(organization_id, {})

    async def _organizations(self, query: str) -> set[UUID]:
        async def found() -> set[UUID]:
            rows = await get_connection("default").execute_query_dict(query)
            return {row["organization_id"] for row in rows}

        return await self._patience.wait_for(query, found)

    async def _process_swept(self, organization_id: UUID) -> None:
        try:
            async with self._sweeping:
                await self.process_events(organization_id)
        except Exception as error:  # noqa: BLE001  # other organizations must not wait
            if is_outage(error):
                self._database.away(error)
            else:
                _log.exception(
                    "counting an organization's events failed", organization_id=str(organization_id)
                )
        finally:
            del self._swept[organization_id]

    async def _count_pending(self, organization_id: UUID) -> None:
        while True:
            started = time.perf_counter()
            step = await self._patience.wait_for(
                (advance, organization_id), lambda: advance(organization_id)
            )
            if step is None:
                return
            seconds = time.perf_counter() - started
            self._measurements.counted(organization_id, step.events, seconds)
            self._activity.counted(organization_id, step.batches, step.events, seconds)
            _log.debug(
                "events counted",
                organization_id=str(organization_id),
                position=step.state.head,
                batches=step.batches,
                events=step.events,
                meters=step.meters,
                seconds=round(seconds, 4),
            )
            # A step costs the same for one event as for a hundred. The first one after a silence
            # starts at once.
            self._next_step[organization_id] = time.monotonic() + GATHERING_SECONDS
            if step.batches < MAXIMUM_BATCHES and step.events < MAXIMUM_EVENTS:
                # Nothing is left. Later commits have their own wake-up.
                return

    async def _count_history(self, organization_id: UUID) -> None:
        """Counts a chunk of each meter in turn, so that none waits for another's long history."""
        begun: dict[UUID, float] = {}
        while await self._count_chunks(organization_id, begun):
            pass

    async def _count_chunks(self, organization_id: UUID, begun: dict[UUID, float]) -> bool:
        """Counts a chunk of each meter that is behind; False if there was nothing to do."""
        counted = False
        for meter_id in await self._patience.wait_for(
            (meters_behind, organization_id), lambda: meters_behind(organization_id)
        ):
            log = _log.bind(organization_id=str(organization_id), meter_id=str(meter_id))
            started = begun.setdefault(meter_id, time.perf_counter())
            counted |= await self._count_chunk(organization_id, meter_id, started, log)
        return counted

    async def _count_chunk(
        self, organization_id: UUID, meter_id: UUID, begun: float, log: Any
    ) -> bool:
        """Counts a chunk; False if there was nothing to do now."""
        async with self._chunks:
            started = time.perf_counter()
            chunk = await self._patience.wait_for(
                meter_id, lambda: catch_up(organization_id, meter_id)
            )
        if chunk.is_counted:
            log.debug("history counted", seconds=round(time.perf_counter() - started, 4))
        if chunk is Chunk.LAST:
            log.info("meter has caught up", seconds=round(time.perf_counter() - begun, 4))
        return chunk is not Chunk.NOTHING


@outlives_database
async def process_events(ctx: dict[str, Any], organization_id: str) -> None:
    """The job of arq: see Counting.process_events."""
    await ctx["counting"].let_gather(UUID(organization_id))
    await _answer(ctx["redis"], PROCESS_EVENTS, UUID(organization_id))
    await ctx["counting"].process_events(UUID(organization_id))


@outlives_database
async def catch_up_meters(ctx: dict[str, Any], organization_id: str) -> None:
    """The job of arq: see Counting.catch_up_meters."""
    await _answer(ctx["redis"], CATCH_UP_METERS, UUID(organization_id))
    await ctx["counting"].catch_up_meters(UUID(organization_id))


async def _answer(redis: ArqRedis, job: str, organization_id: UUID) -> None:
    """Removes the wake-up; if Redis is away, it expires."""
    with contextlib.suppress(*REDIS_FAILURES):
        await answer(redis, job, organization_id)

"""Delivers webhooks: makes deliveries of the outbox's events, and runs endpoints that have some.

PostgreSQL says what is left to do; a wake-up over Redis only makes it quick. Each endpoint has a
task of its own, and no job or sweep waits for one.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from uuid import UUID

import structlog
from arq.connections import ArqRedis

from metering.live.redis_connections import REDIS_FAILURES
from metering.live.wakeup import DELIVER_WEBHOOKS, answer
from waiting.outages import Outage, is_outage
from waiting.patience import Patience
from webhooks.delivering import EndpointRun
from webhooks.due import Result, endpoints_with_work
from webhooks.fan_out import CHUNK, Render, fan_out, organizations_with_events
from webhooks.secrets import SecretKeyError
from webhooks.sending import Sender, tls_context
from workers.measurements import Measurements
from workers.outages import outlives_database
from workers.single_flight import SingleFlight

T = TypeVar("T")

_log = structlog.get_logger(__name__)

# Endpoints that fail have places of their own, so they never take those of endpoints that work.
_SENDING_AT_ONCE = 512
_FAILING_AT_ONCE = 128
# Of the pool's connections, for endpoints and for making deliveries: counting needs the others.
_STATEMENTS_AT_ONCE = 6
_FAN_OUTS_AT_ONCE = 2
_SECONDS_WITHOUT_KEY = 30.0


class Delivering:
    """Delivers webhooks in one worker process."""

    def __init__(
        self,
        render: Render,
        measurements: Measurements,
        database: Outage | None = None,
        *,
        allow_insecure: bool = False,
    ) -> None:
        self._render = render
        self._measurements = measurements
        self._database = database or Outage("PostgreSQL")
        self._allow_insecure = allow_insecure
        self._tls = tls_context()
        self._patience = Patience()
        self._statements = asyncio.Semaphore(_STATEMENTS_AT_ONCE)
        self._fan_outs = asyncio.Semaphore(_FAN_OUTS_AT_ONCE)
        self._fan_out = SingleFlight(self._fan_out_all)
        self._places = {
            False: asyncio.Semaphore(_SENDING_AT_ONCE),
            True: asyncio.Semaphore(_FAILING_AT_ONCE),
        }
        self._runs: dict[UUID, EndpointRun] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._without_key: dict[UUID, float] = {}

    async def deliver(self, organization_id: UUID) -> None:
        """Makes the organization's deliveries, and starts sending them."""
        await self._fan_out.run(organization_id)
        await self._start_in(organization_id)

    async def sweep(self) -> None:
        """Does what is due in all organizations: retries, and what no wake-up came for."""
        for organization_id in await self._ask(organizations_with_events):
            self._spawn(self._quietly(organization_id, self._fan_out.run(organization_id)))
        await self._start_in(None)

    async def end(self) -> None:
        """Cancels what is being sent. It is sent again by the next worker."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def idle(self) -> None:
        """Waits until nothing is being sent."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _fan_out_all(self, organization_id: UUID) -> None:
        async with self._fan_outs:
            taken = CHUNK
            while taken == CHUNK:
                taken = await self._patience.wait_for(
                    ("fan out", organization_id), lambda: fan_out(organization_id, self._render)
                )
                await self._start_in(organization_id)

    async def _start_in(self, organization_id: UUID | None) -> None:
        """Starts sending what is due in an organization, or in all."""
        held = list(self._runs)
        self._start(await self._ask(lambda: endpoints_with_work(held, organization_id)))

    def _start(self, endpoints: Sequence[tuple[UUID, UUID]]) -> None:
        now = time.monotonic()
        for organization_id, endpoint_id in endpoints:
            if self._without_key.get(endpoint_id, now) > now:
                continue
            if endpoint_id in self._runs:
                self._runs[endpoint_id].ask_again()
                continue
            run = EndpointRun(
                organization_id,
                endpoint_id,
                sender=Sender(self._tls, allow_insecure=self._allow_insecure),
                ask=self._ask,
                place=self._place,
                report=self._report,
            )
            self._runs[endpoint_id] = run
            self._spawn(
                self._quietly(organization_id, self._run(organization_id, endpoint_id, run))
            )

    async def _run(self, organization_id: UUID, endpoint_id: UUID, run: EndpointRun) -> None:
        try:
            await run.run()
            self._without_key.pop(endpoint_id, None)
        except SecretKeyError as error:
            self._without_key[endpoint_id] = time.monotonic() + _SECONDS_WITHOUT_KEY
            _log.error("webhooks wait", endpoint_id=str(endpoint_id), reason=str(error))
        finally:
            del self._runs[endpoint_id]
        if run.is_asked:
            self._start([(organization_id, endpoint_id)])

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _quietly(self, organization_id: UUID, work: Awaitable[None]) -> None:
        """Logs what goes wrong; the next sweep tries again."""
        try:
            await work
        except Exception as error:  # noqa: BLE001  # others must not wait
            if is_outage(error):
                self._database.away(error)
            else:
                _log.exception("delivering webhooks failed", organization_id=str(organization_id))

    async def _ask(self, work: Callable[[], Awaitable[T]]) -> T:
        async with self._statements:
            return await self._patience.wait_for("webhooks", work)

    @asynccontextmanager
    async def _place(self, is_failing: bool) -> AsyncIterator[None]:
        async with self._places[is_failing]:
            yield

    def _report(self, results: Sequence[Result]) -> None:
        for result in results:
            if result.attempt.is_success:
                outcome = "delivered"
                self._measurements.delivered(result.due.seconds_since())
            else:
                outcome = "failed" if result.pause is None else "retried"
            self._measurements.attempted(outcome)


@outlives_database
async def deliver_webhooks(ctx: dict[str, Any], organization_id: str) -> None:
    """The job of arq: see Delivering.deliver."""
    redis: ArqRedis = ctx["redis"]
    with contextlib.suppress(*REDIS_FAILURES):  # else the wake-up expires
        await answer(redis, DELIVER_WEBHOOKS, UUID(organization_id))
    await ctx["delivering"].deliver(UUID(organization_id))

"""The one way out of a transaction: events are emitted inside it and performed after its commit.

    async with in_transaction() as connection:
        ...
        emit(connection, UsageChanged(organization_id))

A rollback drops them, even that of a savepoint. Outside of a transaction, a statement is committed
when it returns, so an event is performed at once. Events are hints: losing one, because Redis is
away or the process is killed, delays something but loses no data. Anything that must not be lost
belongs in a table.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from contextvars import Context
from typing import Any, Protocol

import structlog
from arq.connections import ArqRedis
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection

from metering.live.redis_connections import REDIS_FAILURES

_log = structlog.get_logger(__name__)

# After performing events, before performing those that were emitted meanwhile. So a client that
# sends one event after the other does not wake a worker for each.
_PAUSE_SECONDS = 0.005


class Event(Protocol):
    """Something that happens after a commit. Equal events that wait are performed once."""

    def __hash__(self) -> int: ...

    async def perform(self, redis: ArqRedis) -> None:
        """Performs the event. May raise RedisError and OSError, which the circuit logs."""


def emit(connection: BaseDBAsyncClient, event: Event) -> None:
    """Performs an event after the transaction of `connection` commits."""
    client: Any = connection  # see metergraph.database.transactions
    client.emit([event])


@contextlib.asynccontextmanager
async def performing_events(redis: ArqRedis) -> AsyncIterator[None]:
    """Performs the events that this process emits inside the block. The database must be open.

    Without such a block, events are dropped.
    """
    client: Any = get_connection("default")
    performer = _Performer(redis)
    outer = client.perform_events
    client.perform_events = performer.take
    try:
        yield
    finally:
        client.perform_events = outer
        await performer.finish()


class _Performer:
    """Performs events in the background, in a task that no request can cancel."""

    def __init__(self, redis: ArqRedis) -> None:
        self._redis = redis
        self._waiting: set[Event] = set()
        self._ending = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    def take(self, events: Iterable[Event]) -> None:
        self._waiting.update(events)
        if self._waiting and self._running is None:
            # A new context, because the caller's is inside the transaction.
            self._running = asyncio.create_task(self._run(), context=Context())

    async def finish(self) -> None:
        self._ending.set()
        if self._running is not None:
            await self._running

    async def _run(self) -> None:
        try:
            while self._waiting:
                events, self._waiting = self._waiting, set()
                await asyncio.gather(*(self._perform(event) for event in events))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_PAUSE_SECONDS):
                        await self._ending.wait()
        finally:
            self._running = None

    async def _perform(self, event: Event) -> None:
        try:
            await event.perform(self._redis)
        except REDIS_FAILURES:
            pass  # the connection's circuit has logged it
        except Exception:  # noqa: BLE001  # the others go on
            _log.exception("an action after a commit failed", event_emitted=repr(event))

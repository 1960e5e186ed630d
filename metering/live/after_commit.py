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


class Event(Protocol):
    """Something that happens after a commit. Equal events that wait are performed once."""

    def __hash__(self) -> int: ...

    @property
    def pause_seconds(self) -> float:
        """How long an equal event waits after this one was performed."""

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
    """Performs events in the background, in tasks that no request can cancel."""

    def __init__(self, redis: ArqRedis) -> None:
        self._redis = redis
        self._running: dict[Event, asyncio.Task[None]] = {}
        self._again: set[Event] = set()
        self._ending = asyncio.Event()

    def take(self, events: Iterable[Event]) -> None:
        for event in events:
            self._again.add(event)
            if event not in self._running:
                # A new context, because the caller's is inside the transaction.
                self._running[event] = asyncio.create_task(self._run(event), context=Context())

    async def finish(self) -> None:
        self._ending.set()
        while self._running:
            await asyncio.wait(self._running.values())

    async def _run(self, event: Event) -> None:
        try:
            while event in self._again:
                self._again.discard(event)
                await self._perform(event)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(event.pause_seconds):
                        await self._ending.wait()
        finally:
            del self._running[event]

    async def _perform(self, event: Event) -> None:
        try:
            await event.perform(self._redis)
        except REDIS_FAILURES:
            pass  # the connection's circuit has logged it
        except Exception:  # noqa: BLE001  # the others go on
            _log.exception("an action after a commit failed", event_emitted=repr(event))

"""Connections to Redis behind a circuit breaker: a silent Redis delays one caller only.

A caller whose deadline passes opens the circuit. For a second, all other calls fail at once, as if
Redis were down; then one caller tries again. The whole process shares the circuit, because it
shares the pool: hints, rate limits, persisted queries, measurements, and arq.
"""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.connection import (
    AbstractConnection,
    Connection,
    ConnectionPool,
    UnixDomainSocketConnection,
    parse_url,
)
from redis.exceptions import (
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)

from waiting.outages import Outage

ANSWER_SECONDS = 2.0
"""The deadline for connecting, and for the answer to a command."""

REDIS_FAILURES = (RedisError, OSError)
"""What commands raise while Redis cannot be used: a TimeoutError is an OSError."""

SECONDS_BETWEEN_TRIES = 1.0
_QUIET_SECONDS = 2.0
# With these, the kernel finds a dead idle connection before a command uses it.
_KEEPALIVE = {
    socket.TCP_KEEPIDLE: 5,
    socket.TCP_KEEPINTVL: 2,
    socket.TCP_KEEPCNT: 3,
}
# Answers with which Redis refuses to do its work.
_REFUSALS = (NoPermissionError, OutOfMemoryError, ReadOnlyError)


class RedisAwayError(RedisError):
    """The circuit is open: Redis did not answer a moment ago."""


class Circuit:
    """Tracks whether Redis answers this process.

    Args:
        now: a monotonic clock.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._outage = Outage("Redis", quiet_seconds=_QUIET_SECONDS)
        self._next_try: float | None = None
        self._answered = now()
        self.missed_at = -1.0

    def enter(self) -> None:
        """Lets a caller pass, unless Redis fell silent; then one caller a second may try.

        Raises RedisAwayError.
        """
        if self._next_try is None:
            return
        if self._now() < self._next_try:
            raise RedisAwayError("Redis did not answer a moment ago")
        self._next_try = self._now() + SECONDS_BETWEEN_TRIES

    def missed(self, error: BaseException) -> None:
        """Records that a caller got no answer in time, or an error instead."""
        self.missed_at = self._now()
        self._next_try = self.missed_at + SECONDS_BETWEEN_TRIES
        self._outage.away(error)

    def hurried(self, seconds: float) -> None:
        """Records that a caller waited in vain: a miss, unless others got answers meanwhile."""
        if self._now() - self._answered >= seconds:
            self.missed(TimeoutError(f"no answer within {seconds:g} s"))

    def answered(self) -> None:
        """Records that Redis answered."""
        self._answered = self._now()
        self._next_try = None
        self._outage.back()

    def refused(self, error: BaseException) -> None:
        """Records that Redis answered that it cannot do its work."""
        self._answered = self._now()
        self._next_try = None
        self._outage.away(error)


class _Watched(AbstractConnection):
    """A connection that reports the outcome of its commands to the circuit."""

    circuit: Circuit
    connected_at = -1.0

    async def connect(self) -> None:
        if self.is_connected:
            return
        self.connected_at = time.monotonic()
        try:
            await super().connect()  # type: ignore[no-untyped-call]  # as redis-py has it
        except REDIS_FAILURES as error:
            self.circuit.missed(error)
            raise

    async def read_response(self, *arguments: Any, **options: Any) -> Any:
        try:
            response = await super().read_response(*arguments, **options)
        except _REFUSALS as error:
            self.circuit.refused(error)
            raise
        except ResponseError:
            self.circuit.answered()
            raise
        except REDIS_FAILURES as error:
            self.circuit.missed(error)
            raise
        # A subscriber also reads None when its timeout passes.
        if response is not None or options.get("timeout") is None:
            self.circuit.answered()
        return response


class GuardedPool(ConnectionPool):
    """A pool behind a circuit. It does not reuse connections from before a miss."""

    def __init__(self, url: str) -> None:
        options: dict[str, Any] = {**parse_url(url)}
        kind = options.pop("connection_class", Connection)
        if kind is not UnixDomainSocketConnection:
            options |= {"socket_keepalive": True, "socket_keepalive_options": _KEEPALIVE}
        options |= {"socket_connect_timeout": ANSWER_SECONDS, "socket_timeout": ANSWER_SECONDS}
        self.circuit = Circuit()
        watched = type(f"Watched{kind.__name__}", (_Watched, kind), {"circuit": self.circuit})
        super().__init__(connection_class=watched, **options)

    async def get_connection(self, *_arguments: Any, **_options: Any) -> AbstractConnection:
        """Returns a connection. Raises RedisAwayError at once while the circuit is open.

        Unlike in redis-py's pool, callers that connect do not wait for each other.
        """
        self.circuit.enter()
        connection: _Watched = self.get_available_connection()  # type: ignore[no-untyped-call]
        try:
            if connection.connected_at <= self.circuit.missed_at:
                await connection.disconnect(nowait=True)
            await self.ensure_connection(connection)
        except BaseException:
            await self.release(connection)
            raise
        return connection


@asynccontextmanager
async def deadline(redis: Redis, seconds: float) -> AsyncIterator[None]:
    """Limits a request's wait for Redis to less than the connection's deadline.

    Raises TimeoutError.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        pool = redis.connection_pool
        if isinstance(pool, GuardedPool):
            pool.circuit.hurried(seconds)
        raise

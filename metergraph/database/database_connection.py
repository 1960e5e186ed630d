"""One connection to PostgreSQL: its instants are exact, it is never reset, and it can be watched.

asyncpg writes Python's first and last instants as -infinity and infinity. We write them exactly
(`_use_exact_instants`): Go's zero time is 0001-01-01T00:00:00Z, and an event with that timestamp
must be shown, paged and audited like any other.
"""

import asyncio
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import asyncpg

# PostgreSQL's epoch, and its instants on the wire: microseconds since then, as an int8.
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_INT8 = struct.Struct("!q")
_MICROSECOND = timedelta(microseconds=1)

_CONNECT_SECONDS = 5.0

# The kernel also probes silent peers and gives them up, even if no statement is waiting.
_SOCKET_OPTIONS = {
    socket.TCP_KEEPIDLE: 15,
    socket.TCP_KEEPINTVL: 5,
    socket.TCP_KEEPCNT: 3,
    socket.TCP_USER_TIMEOUT: 15_000,  # milliseconds
}

# The server's process behind a connection. Its number alone may belong to another process, or
# another server, by the time it is asked about.
_BACKEND = """
    SELECT pid, backend_start AS started FROM pg_stat_get_activity(pg_backend_pid())
"""

Backend = tuple[int, datetime]
"""A process of the server: its number, and when it started."""


class DatabaseConnection(asyncpg.Connection):
    """A connection whose session never changes, so it need not be reset after each use.

    Settings are changed by SET LOCAL, and locks belong to transactions. An open transaction is
    still rolled back when the connection returns to the pool. A reset would cost every request a
    round trip, as much as a query.

    It knows how long it has waited for an answer, which `SilentConnections` watches.
    """

    backend: Backend | None = None
    """None if it is not known, because a pooler is between us and the server."""
    statements: int = 0
    """The number of statements sent, which tells one statement from the next."""
    waiting_since: float | None = None
    """When the current statement was sent, by the monotonic clock; None if there is none."""

    def get_reset_query(self) -> str:
        """Returns no query."""
        return ""

    def waited(self) -> float:
        """How many seconds it has waited for an answer."""
        return 0.0 if self.waiting_since is None else time.monotonic() - self.waiting_since

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        self.statements += 1
        self.waiting_since = time.monotonic()
        try:
            yield
        finally:
            self.waiting_since = None

    async def execute(self, query: str, *args: Any, timeout: float | None = None) -> str:  # noqa: ASYNC109  # asyncpg's signature
        """Like asyncpg's own method, but watched."""
        with self._waiting():
            return await super().execute(query, *args, timeout=timeout)

    async def executemany(self, command: str, args: Any, *, timeout: float | None = None) -> None:  # noqa: ASYNC109  # asyncpg's signature
        """Like asyncpg's own method, but watched."""
        with self._waiting():
            await super().executemany(command, args, timeout=timeout)

    async def fetch(self, *args: Any, **named: Any) -> Any:
        """Like asyncpg's own method, but watched."""
        with self._waiting():
            return await super().fetch(*args, **named)

    async def fetchval(self, *args: Any, **named: Any) -> Any:
        """Like asyncpg's own method, but watched."""
        with self._waiting():
            return await super().fetchval(*args, **named)

    async def fetchrow(self, *args: Any, **named: Any) -> Any:
        """Like asyncpg's own method, but watched."""
        with self._waiting():
            return await super().fetchrow(*args, **named)


async def connect(*arguments: Any, **named: Any) -> DatabaseConnection:
    """Connects as `asyncpg.connect` does, and prepares a `DatabaseConnection` for the pool.

    Raises:
        TimeoutError: the server did not answer within five seconds.
    """
    async with asyncio.timeout(_CONNECT_SECONDS):
        connection: DatabaseConnection = await asyncpg.connect(*arguments, **named)
        try:
            await _use_exact_instants(connection)
            row = await connection.fetchrow(_BACKEND)
        except BaseException:
            connection.terminate()  # closing would wait for the server
            raise
    if row is not None and row["pid"] == connection.get_server_pid():
        connection.backend = row["pid"], row["started"]
    _keep_alive(connection)
    return connection


def _keep_alive(connection: Any) -> None:
    found = connection._transport.get_extra_info("socket")  # noqa: SLF001  # asyncpg offers no other way
    if found is None or found.family == socket.AF_UNIX:
        return
    found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _SOCKET_OPTIONS.items():
        found.setsockopt(socket.IPPROTO_TCP, option, value)


def _encode_instant(instant: datetime) -> bytes:
    return _INT8.pack((instant - _EPOCH) // _MICROSECOND)


# The rows of a page often share instants, such as when their batch was received.
@lru_cache(maxsize=4_096)
def _decode_instant(data: bytes) -> datetime:
    since: int = _INT8.unpack(data)[0]
    return _EPOCH + _MICROSECOND * since


async def _use_exact_instants(connection: asyncpg.Connection) -> None:
    await connection.set_type_codec(
        "timestamptz",
        schema="pg_catalog",
        encoder=_encode_instant,
        decoder=_decode_instant,
        format="binary",
    )

"""One connection to PostgreSQL: instants are exact, nothing is reset, and it can be watched.

asyncpg writes the first and the last instant that Python knows as -infinity and infinity. Ours are
written as what they are (`_use_exact_instants`): 0001-01-01T00:00:00Z is what a clock that was
never set says in Go, and an event of it is then shown, paged and audited as any other.
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

# The kernel asks a silent peer too, and sooner or later gives it up, also where nobody waits.
_SOCKET_OPTIONS = {
    "TCP_KEEPIDLE": 15,
    "TCP_KEEPINTVL": 5,
    "TCP_KEEPCNT": 3,
    "TCP_USER_TIMEOUT": 15_000,  # milliseconds
}

# Which process of the server a connection has. A number alone may be another's, or another
# server's, by the time that somebody asks.
_BACKEND = """
    SELECT pid, backend_start AS started FROM pg_stat_get_activity(pg_backend_pid())
"""

Backend = tuple[int, datetime]
"""A process of the server: its number, and when it was started."""


class DatabaseConnection(asyncpg.Connection):
    """A connection whose session nobody changes, so that nothing is to be reset after each use.

    Settings are changed by SET LOCAL and locks are a transaction's. What is open when the
    connection goes back to the pool is rolled back all the same. Resetting would cost a round
    trip for every request, as much as a query.

    It knows since when it has waited for an answer, which `SilentConnections` watches.
    """

    backend: Backend | None = None
    """None where it is not known: a pooler is between us and the server."""
    statements: int = 0
    """How many statements it has sent, so that one can be told from the next."""
    waiting_since: float | None = None
    """When the statement under way was sent, by the monotonic clock; None where there is none."""

    def get_reset_query(self) -> str:
        """Nothing."""
        return ""

    def waited(self) -> float:
        """For how many seconds it has waited for an answer."""
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
        """As asyncpg's, while the watch sees it."""
        with self._waiting():
            return await super().execute(query, *args, timeout=timeout)

    async def executemany(self, command: str, args: Any, *, timeout: float | None = None) -> None:  # noqa: ASYNC109  # asyncpg's signature
        """As asyncpg's, while the watch sees it."""
        with self._waiting():
            await super().executemany(command, args, timeout=timeout)

    async def fetch(self, *args: Any, **named: Any) -> Any:
        """As asyncpg's, while the watch sees it."""
        with self._waiting():
            return await super().fetch(*args, **named)

    async def fetchval(self, *args: Any, **named: Any) -> Any:
        """As asyncpg's, while the watch sees it."""
        with self._waiting():
            return await super().fetchval(*args, **named)

    async def fetchrow(self, *args: Any, **named: Any) -> Any:
        """As asyncpg's, while the watch sees it."""
        with self._waiting():
            return await super().fetchrow(*args, **named)


async def connect(*arguments: Any, **named: Any) -> DatabaseConnection:
    """As `asyncpg.connect`, for the pool: a `DatabaseConnection`, ready to be used.

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
    found = connection._transport.get_extra_info("socket")  # noqa: SLF001  # asyncpg has no other way to it
    if found is None or found.family == socket.AF_UNIX:
        return
    found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _SOCKET_OPTIONS.items():
        option = getattr(socket, name, None)  # not every system has all
        if option is not None:
            found.setsockopt(socket.IPPROTO_TCP, option, value)


def _encode_instant(instant: datetime) -> bytes:
    return _INT8.pack((instant - _EPOCH) // _MICROSECOND)


# The instants of a page are often the same ones: when a batch was received, a customer was made.
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

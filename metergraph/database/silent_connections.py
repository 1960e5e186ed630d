"""Finds connections to PostgreSQL that have fallen silent, and aborts them.

When packets are lost, or a firewall forgets a connection, nothing resets it: its statement waits
for ever, and so does everything that waits for its locks. A long wait alone proves nothing, because
a statement may take long. So we ask PostgreSQL over a separate connection what it is doing for
these connections. One for which it does nothing, or waits for *us*, is silent.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import Any

import asyncpg
import structlog

from metergraph.database.database_connection import Backend, DatabaseConnection

_log = structlog.get_logger(__name__)

_SECONDS_BETWEEN_LOOKS = 0.5
# PostgreSQL is asked about connections that have waited longer.
_LONG_SECONDS = 1.0
_ANSWER_SECONDS = 2.0
_ATTEMPTS = 2

# How many seconds PostgreSQL must have waited for us, because an answer may be on its way; NULL
# while it is working. A backend that writes waits for us whenever the network is slower than it.
_WAITING_FOR_US = """
    SELECT pid, backend_start,
           CASE WHEN state LIKE 'idle%' OR wait_event = 'ClientRead' THEN 1
                WHEN wait_event = 'ClientWrite' THEN 10
           END AS patience
    FROM pg_stat_activity
    WHERE pid = ANY($1::int[])
"""
_TERMINATE = """
    SELECT pg_terminate_backend(pid)
    FROM pg_stat_activity JOIN unnest($1::int[], $2::timestamptz[]) AS given (pid, backend_start)
         USING (pid, backend_start)
"""


class SilentConnections:
    """Watches the connections of one pool.

    Args:
        connections: returns the pool's connections.
        connect: opens a separate connection, to ask PostgreSQL.
        give_up_idle: closes unused connections, which may have fallen silent for the same reason.
        longest_seconds: PostgreSQL has cut off any statement by then, so a later answer will never
            come; None: statements may take any time.
    """

    def __init__(
        self,
        connections: Callable[[], Iterable[DatabaseConnection]],
        connect: Callable[[], Awaitable[asyncpg.Connection]],
        give_up_idle: Callable[[], None],
        longest_seconds: float | None,
    ) -> None:
        self._connections = connections
        self._connect = connect
        self._give_up_idle = give_up_idle
        self._longest_seconds = longest_seconds
        self._asking: asyncpg.Connection | None = None
        # The statements for which PostgreSQL does nothing, and when that was first seen.
        self._suspects: dict[tuple[DatabaseConnection, int], float] = {}

    async def watch_for_ever(self) -> None:
        """Looks twice a second. It costs nothing while no statement takes long."""
        try:
            while True:
                await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
                try:
                    await self._look()
                except Exception:  # noqa: BLE001  # the watch must go on
                    _log.exception("looking for silent connections failed; trying again")
        finally:
            self._stop_asking()

    async def _look(self) -> None:
        waiting = {
            connection: connection.statements
            for connection in self._connections()
            if connection.waited() > _LONG_SECONDS
        }
        if not waiting:
            self._suspects.clear()
            self._stop_asking()
            return
        try:
            silent = await self._silent_of(waiting)
        except asyncpg.PostgresError:
            silent = []  # PostgreSQL is there but refuses connections, so nothing is known
        except (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError):
            silent = list(waiting)  # PostgreSQL cannot be reached
        silent = [
            connection
            for connection, statement in waiting.items()
            if connection.statements == statement
            and (connection in silent or self._took_too_long(connection))
        ]
        if silent:
            await self._give_up(silent)

    async def _silent_of(self, waiting: dict[DatabaseConnection, int]) -> list[DatabaseConnection]:
        backends = {
            connection.backend: connection
            for connection in waiting
            if connection.backend is not None
        }
        if not backends:
            return []
        rows = await self._ask(_WAITING_FOR_US, [pid for pid, _started in backends])
        # A connection whose backend is gone gets no answer either.
        patience: dict[Backend, int | None] = dict.fromkeys(backends, 0) | {
            (row["pid"], row["backend_start"]): row["patience"] for row in rows
        }
        now = time.monotonic()
        suspects: dict[tuple[DatabaseConnection, int], float] = {}
        silent = []
        for backend, connection in backends.items():
            seconds = patience[backend]
            if seconds is not None:
                statement = connection, waiting[connection]
                suspects[statement] = self._suspects.get(statement, now)
                if now - suspects[statement] >= seconds:
                    silent.append(connection)
        self._suspects = suspects
        return silent

    def _took_too_long(self, connection: DatabaseConnection) -> bool:
        longest = self._longest_seconds
        return longest is not None and connection.waited() > longest

    async def _give_up(self, silent: Collection[DatabaseConnection]) -> None:
        _log.warning(
            "closed silent connections to PostgreSQL",
            connections=len(silent),
            seconds=round(max(connection.waited() for connection in silent), 1),
        )
        for connection in silent:
            connection.terminate()
        self._give_up_idle()
        backends = [connection.backend for connection in silent if connection.backend is not None]
        # Otherwise their transactions would keep their locks.
        try:
            await self._ask(
                _TERMINATE,
                [pid for pid, _started in backends],
                [started for _pid, started in backends],
            )
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            _log.debug("silent connections may keep their locks for a while", reason=repr(error))

    async def _ask(self, query: str, *values: Any) -> list[Any]:
        """Asks over a separate connection; over another one if that is silent too."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                async with asyncio.timeout(_ANSWER_SECONDS):
                    if self._asking is None:
                        self._asking = await self._connect()
                    rows: list[Any] = await self._asking.fetch(query, *values)
                    return rows
            except BaseException as error:
                self._stop_asking()
                if attempt == _ATTEMPTS or not isinstance(error, Exception):
                    raise
        raise AssertionError("unreachable")

    def _stop_asking(self) -> None:
        if self._asking is not None:
            self._asking.terminate()
            self._asking = None

"""Finds connections to PostgreSQL that have fallen silent, and gives them up.

When packets are lost, or a firewall forgets a connection, nothing is reset: whoever waits for an
answer waits for ever, and so does everybody who waits for a lock that it holds. A long wait alone
proves nothing, as a statement may take its time. So PostgreSQL is asked, over a connection of our
own, what it does for those that wait for long. One for which it does nothing, or waits for *us*,
is silent.
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
# Who has waited for so long is asked about.
_LONG_SECONDS = 1.0
_ANSWER_SECONDS = 2.0
_ATTEMPTS = 2

# For how many seconds PostgreSQL must be found waiting for us, as an answer may be on its way; NULL
# where it is at work. One that writes waits for us whenever the network is slower than it.
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
    """The watch over the connections of one pool.

    Args:
        connections: those that there are.
        connect: opens one more, to ask PostgreSQL over it.
        give_up_idle: closes those that nobody uses: what silenced one may have silenced them.
        longest_seconds: a statement that takes longer is cut off by PostgreSQL, so that an answer
            that is not there a while later never comes; None: statements take what they take.
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
        # The statements for which PostgreSQL does nothing, and since when that was seen.
        self._suspects: dict[tuple[DatabaseConnection, int], float] = {}

    async def watch_for_ever(self) -> None:
        """Looks twice a second. Costs nothing while no statement takes long."""
        try:
            while True:
                await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
                try:
                    await self._look()
                except Exception:  # noqa: BLE001  # without it, nobody would notice the next silence
                    _log.exception("the watch over connections failed; it goes on")
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
            silent = []  # it is there, and refuses connections: nobody can tell
        except (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError):
            silent = list(waiting)  # PostgreSQL itself is out of reach
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
        # One whose process is gone will not be answered either.
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
            "connections to PostgreSQL are silent and were given up",
            connections=len(silent),
            seconds=round(max(connection.waited() for connection in silent), 1),
        )
        for connection in silent:
            connection.terminate()
        self._give_up_idle()
        backends = [connection.backend for connection in silent if connection.backend is not None]
        # Or their transactions would keep their locks.
        try:
            await self._ask(
                _TERMINATE,
                [pid for pid, _started in backends],
                [started for _pid, started in backends],
            )
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            _log.debug("silent connections may keep their locks for a while", reason=repr(error))

    async def _ask(self, query: str, *values: Any) -> list[Any]:
        """Asks over a connection of our own; over another one where that is silent, too."""
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

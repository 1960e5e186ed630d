"""Tortoise's asyncpg backend, in which every wait for PostgreSQL ends.

`metergraph.database.opening` names it as the engine. Tortoise chooses its schema editor by the word
"asyncpg" in the name of this module. It differs from Tortoise's own:

- Connections always return to the pool. Tortoise takes one and then begins the transaction. If that
  fails or is cancelled (the database restarts, a request times out), Tortoise keeps the connection,
  and in the end the pool is empty.
- Connecting, waiting for a free connection, returning one and closing have deadlines. A statement
  may take any time; it ends if its connection falls silent
  (`metergraph.database.silent_connections`).
- Work for an organization waits for its share of the connections (`waiting.shares`).
- The log names each outage once (`waiting.outages.Outage`).
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any

import asyncpg
from tortoise.backends.asyncpg.client import AsyncpgDBClient
from tortoise.backends.base.client import PoolConnectionWrapper, TransactionContext

from metergraph.database.database_connection import DatabaseConnection, connect
from metergraph.database.silent_connections import SilentConnections
from metergraph.database.transactions import Transaction, TransactionBlock
from metering.live.after_commit import Event
from waiting.outages import Outage, OutageError, is_outage
from waiting.shares import Share, Shares

_FREE_SECONDS = 10.0
# Longer, because an organization that waits for its share waits for its own work.
_SHARE_SECONDS = 30.0
_RELEASE_SECONDS = 3.0
_CLOSE_SECONDS = 1.0
# PostgreSQL cuts statements off; one without an answer this much later is lost.
_CUT_OFF_GRACE_SECONDS = 5.0
_OF_POOL = ("min_size", "max_size", "connection_class", "loop")


class ShareTakenError(OutageError):
    """An organization's other work uses its whole share of the connections; PostgreSQL works."""


class WatchedClient(AsyncpgDBClient):
    """Tortoise's client; see the module.

    Args:
        aside: the size of a second pool, `self.aside`; 0: there is none.
        outage: records successes and failures; None: outages are not logged.
        statement_timeout_seconds: when PostgreSQL cuts off a statement; None: never.
        credentials: as for Tortoise's client.
    """

    connection_class = DatabaseConnection  # type: ignore[assignment]  # generic only in the stubs

    def __init__(
        self,
        *,
        aside: int = 0,
        outage: Outage | None = None,
        statement_timeout_seconds: float | None = None,
        **credentials: Any,
    ) -> None:
        super().__init__(**credentials)
        self._outage = outage
        self._longest_seconds = (
            None
            if statement_timeout_seconds is None
            else statement_timeout_seconds + _CUT_OFF_GRACE_SECONDS
        )
        self._watching: asyncio.Task[None] | None = None
        # The connections set aside are not divided into shares.
        self._shares = Shares(credentials["maxsize"]) if aside else None
        self._taken: dict[Any, Share] = {}
        self.perform_events: Callable[[Iterable[Event]], None] = lambda _events: None
        """Set by `metering.live.after_commit.performing_events`."""
        self.aside: WatchedClient = self
        """A few separate connections, for what must be answered while all others are taken."""
        if aside:
            self.aside = WatchedClient(
                outage=outage,
                statement_timeout_seconds=statement_timeout_seconds,
                **{**credentials, "maxsize": aside},
            )

    async def create_pool(self, **kwargs: Any) -> asyncpg.Pool:
        """Makes an empty pool, and starts its watch."""
        pool: asyncpg.Pool = await super().create_pool(connect=connect, **kwargs)
        private: Any = pool
        holders = private._holders  # noqa: SLF001  # asyncpg has no public list of its connections
        arguments = {name: value for name, value in kwargs.items() if name not in _OF_POOL}

        def connections() -> Iterator[DatabaseConnection]:
            return (holder._con for holder in holders if holder._con is not None)  # noqa: SLF001  # see above

        def give_up_idle() -> None:
            for holder in holders:
                if holder.is_idle():
                    holder.terminate()

        watch = SilentConnections(
            connections,
            lambda: asyncpg.connect(**arguments),
            give_up_idle,
            self._longest_seconds,
        )
        self._watching = asyncio.create_task(watch.watch_for_ever())
        return pool

    async def close(self) -> None:
        """Closes the connections within a second."""
        if self.aside is not self:
            await self.aside.close()
        await super().close()

    async def _close(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait((self._watching,))
            self._watching = None
        if self._pool:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await self._pool.close()  # terminates those that do not close
            self._pool = None

    async def acquire(self) -> Any:
        """Takes a free connection of the open pool, in the organization's turn.

        Raises:
            OutageError: none was free in time.
        """
        share = None if self._shares is None else await self._share(self._shares)
        try:
            connection = await self._acquire()
        except BaseException:
            if share is not None:
                share.give_back()
            raise
        if share is not None:
            self._taken[connection] = share
        return connection

    async def _share(self, shares: Shares) -> Share | None:
        try:
            async with asyncio.timeout(_SHARE_SECONDS):
                return await shares.take()
        except TimeoutError as error:
            message = f"the organization's connections were all busy for {_SHARE_SECONDS:g} seconds"
            raise ShareTakenError(message) from error

    async def _acquire(self) -> Any:
        pool: Any = self._pool
        deadline = asyncio.timeout(_FREE_SECONDS)
        try:
            async with deadline:
                return await pool.acquire()
        except TimeoutError as error:
            if not deadline.expired():
                raise
            message = f"no connection to PostgreSQL was free within {_FREE_SECONDS:g} seconds"
            raise OutageError(message) from error

    async def release(self, connection: Any) -> None:
        """Returns a connection to the pool; closes it if that fails."""
        share = self._taken.pop(connection, None)
        try:
            await self._release(connection)
        finally:
            if share is not None:
                share.give_back()

    async def _release(self, connection: Any) -> None:
        if not self._pool:
            return
        try:
            await self._pool.release(connection, timeout=_RELEASE_SECONDS)
        except Exception as error:
            # It is closed and its place is free; its user already has the result.
            if not is_outage(error):
                raise

    def note(self, error: BaseException | None) -> None:
        """Records how the use of a connection ended."""
        if self._outage is None:
            return
        if error is None:
            self._outage.back()
        elif is_outage(error) and not isinstance(error, ShareTakenError):
            self._outage.away(error)

    def emit(self, events: Iterable[Event]) -> None:
        """Performs the events of a committed transaction; see `metering.live.after_commit`."""
        self.perform_events(events)

    def acquire_connection(self) -> PoolConnectionWrapper[Any]:
        """Takes a connection of the pool for a block."""
        return _Connection(self, self._pool_init_lock)

    def _in_transaction(self) -> TransactionContext:
        return TransactionBlock(Transaction(self), self._pool_init_lock)


class _Connection(PoolConnectionWrapper[Any]):
    """A connection of the pool in a block, taken and returned by the client's rules."""

    __slots__ = ()
    client: WatchedClient

    async def __aenter__(self) -> Any:
        try:
            await self.ensure_connection()
            self.connection = await self.client.acquire()
        except BaseException as error:
            self.client.note(error)
            raise
        return self.connection

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.client.note(error)
        await self.client.release(self.connection)


client_class = WatchedClient

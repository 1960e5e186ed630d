"""Transactions that always return their connection, and pass on their events after the commit."""

from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any

from tortoise.backends.asyncpg.client import TransactionWrapper
from tortoise.backends.base.client import (
    NestedTransactionContext,
    TransactionalDBClient,
    TransactionContext,
    TransactionContextPooled,
)
from tortoise.connection import get_connections

from metering.live.after_commit import Event
from waiting.outages import cut_off_is_outage, is_outage

if TYPE_CHECKING:
    from metergraph.database.asyncpg_client import WatchedClient


class Transaction(TransactionWrapper):
    """Tortoise's client of a transaction or savepoint, which keeps events until the commit."""

    def __init__(self, parent: "WatchedClient | Transaction") -> None:
        super().__init__(parent)
        self._emitted: list[Event] = []

    def _in_transaction(self) -> TransactionContext:
        return NestedTransactionContext(Transaction(self))

    def emit(self, events: Iterable[Event]) -> None:
        """Keeps events until the commit; see `metering.live.after_commit`."""
        self._emitted.extend(events)

    async def commit(self) -> None:
        """Commits, and passes the events to the parent."""
        await super().commit()
        parent: Any = self._parent
        parent.emit(self._emitted)


class TransactionBlock(TransactionContextPooled):
    """A transaction in a block, which always returns its connection."""

    __slots__ = ()

    @property
    def _pool_client(self) -> "WatchedClient":
        client: Any = self.client._parent  # noqa: SLF001  # as Tortoise's own
        watched: WatchedClient = client
        return watched

    async def __aenter__(self) -> TransactionalDBClient:
        """Begins; after an error or a cancellation, nothing is left behind."""
        try:
            await self.ensure_connection()
            connection = await self._pool_client.acquire()
        except BaseException as error:
            self._pool_client.note(error)
            raise
        self.client._connection = connection  # noqa: SLF001  # as Tortoise's own
        self.token = get_connections().set(self.connection_name, self.client)
        try:
            await self.client.begin()
        except BaseException as error:
            self._pool_client.note(error)
            get_connections().reset(self.token)
            # A cancelled BEGIN may have reached the server, so this connection is not used again.
            connection.terminate()
            await self._pool_client.release(connection)
            raise
        return self.client

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Commits, or rolls back after an error, which the caller then sees."""
        try:
            if self.client._finalized:  # noqa: SLF001  # as Tortoise's own
                self._pool_client.note(error)
            elif error is not None:
                self._pool_client.note(error)
                await self._roll_back()
            else:
                await self._commit()
        finally:
            get_connections().reset(self.token)
            await self._pool_client.release(self.client._connection)  # noqa: SLF001  # as Tortoise's own

    async def _commit(self) -> None:
        try:
            with cut_off_is_outage():
                await self.client.commit()
        except BaseException as error:
            self._pool_client.note(error)
            raise
        self._pool_client.note(None)

    async def _roll_back(self) -> None:
        try:
            await self.client.rollback()
        except Exception as error:
            # The transaction is lost with its connection.
            if not is_outage(error):
                raise

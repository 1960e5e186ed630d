"""Tortoise's asyncpg backend, with transactions that give their connection back, fast and exact.

Tortoise takes a connection from the pool and then begins the transaction; when beginning fails
or is cancelled (the database restarts, a request times out), it keeps the connection, and after
a few such days the pool is empty for good. Named as an engine in `config.database`. Tortoise
chooses its schema editor by the word "asyncpg" in this module's name.

asyncpg writes the first and the last instant that Python knows as -infinity and infinity. Ours are
written as what they are (`_use_exact_instants`): 0001-01-01T00:00:00Z is what a clock that was
never set says in Go, and an event of it is then shown, paged and audited as any other.
"""

import struct
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import asyncpg
from tortoise.backends.asyncpg.client import AsyncpgDBClient, TransactionWrapper
from tortoise.backends.base.client import (
    TransactionalDBClient,
    TransactionContext,
    TransactionContextPooled,
)
from tortoise.connection import get_connections


class ReturningTransactionContext(TransactionContextPooled):
    """A transaction that returns its connection to the pool also when it could not begin."""

    __slots__ = ()

    async def __aenter__(self) -> TransactionalDBClient:
        """Begin; on any error, and on cancellation, nothing is left behind."""
        await self.ensure_connection()
        pool: Any = self.client._parent._pool  # noqa: SLF001  # as Tortoise's own
        connection = await pool.acquire()
        self.client._connection = connection  # noqa: SLF001  # as Tortoise's own
        self.token = get_connections().set(self.connection_name, self.client)
        try:
            await self.client.begin()
        except BaseException:
            get_connections().reset(self.token)
            # A cancelled BEGIN may have reached the server: such a connection is not used again.
            connection.terminate()
            await pool.release(connection)
            raise
        return self.client


# PostgreSQL's epoch, and its instants on the wire: microseconds since then, as an int8.
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_INT8 = struct.Struct("!q")
_MICROSECOND = timedelta(microseconds=1)


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


class StatelessConnection(asyncpg.Connection):
    """A connection whose session nobody changes, so that nothing is to be reset after each use.

    Settings are changed by SET LOCAL and locks are a transaction's. What is open when the
    connection goes back to the pool is rolled back all the same. Resetting would cost a round
    trip for every request, as much as a query.
    """

    def get_reset_query(self) -> str:
        """Nothing."""
        return ""


class ReturningAsyncpgClient(AsyncpgDBClient):
    """Tortoise's client, with `ReturningTransactionContext` and `StatelessConnection`."""

    connection_class = StatelessConnection  # type: ignore[assignment]  # generic only in the stubs

    async def create_pool(self, **kwargs: Any) -> asyncpg.Pool:
        """As Tortoise's, of connections that write instants exactly."""
        return await super().create_pool(init=_use_exact_instants, **kwargs)

    def _in_transaction(self) -> TransactionContext:
        return ReturningTransactionContext(TransactionWrapper(self), self._pool_init_lock)


client_class = ReturningAsyncpgClient

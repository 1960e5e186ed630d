"""Connections to PostgreSQL beside those of Metergraph: for rivals, observers and locks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from config.settings import Settings
from metergraph.database.database_url import credentials

_WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"


@asynccontextmanager
async def connection_to(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """A connection that is closed after the block, with what its transaction holds."""
    connection = await asyncpg.connect(**credentials(str(settings.database_url)))
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def locked(settings: Settings, table: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection that keeps a table to itself inside the block, or until it rolls back."""
    async with connection_to(settings) as connection:
        await connection.execute(f"BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield connection


async def locks_awaited(connection: asyncpg.Connection, count: int = 1) -> None:
    """Returns once so many locks are waited for."""
    async with asyncio.timeout(60):
        while await connection.fetchval(_WAITING) < count:  # noqa: ASYNC110  # locks have no event
            await asyncio.sleep(0.02)

"""Runs SQL queries on the application's connection pool."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from tortoise.connection import get_connection
from tortoise.transactions import in_transaction

from metering.usage.preview import ON_ONE_PROCESSOR

Record = Mapping[str, Any]

Place = Callable[[], AbstractAsyncContextManager[None]]
"""Waits until a statement that reads many events may run, and keeps its place for the block."""


async def fetch(sql: str, *parameters: Any) -> Sequence[Record]:
    """Returns the rows of one statement, with $1… bound to `parameters`."""
    async with get_connection("default").acquire_connection() as connection:
        rows: Sequence[Record] = await connection.fetch(sql, *parameters)
        return rows


async def scan(place: Place, sql: str, *parameters: Any) -> Sequence[Record]:
    """Like `fetch`, for a statement that reads many events: in its turn, on one processor."""
    async with place(), in_transaction() as connection:
        await connection.execute_query_dict(ON_ONE_PROCESSOR)
        return await connection.execute_query_dict(sql, list(parameters))


async def fetch_aside(sql: str, *parameters: Any) -> Sequence[Record]:
    """Like `fetch`, over one of the few connections reserved for short statements.

    For a short statement that every request needs, such as looking up its token.
    """
    client: Any = get_connection("default")
    async with client.aside.acquire_connection() as connection:
        rows: Sequence[Record] = await connection.fetch(sql, *parameters)
        return rows


async def execute_aside(sql: str, *parameters: Any) -> None:
    """Like `fetch_aside`, for a statement that returns nothing."""
    client: Any = get_connection("default")
    async with client.aside.acquire_connection() as connection:
        await connection.execute(sql, *parameters)

"""Reading rows by SQL, on the application's pool of connections."""

from collections.abc import Mapping, Sequence
from typing import Any

from tortoise.connection import get_connection

Record = Mapping[str, Any]


async def fetch(sql: str, *parameters: Any) -> Sequence[Record]:
    """The rows of one statement, $1… bound to `parameters`."""
    async with get_connection("default").acquire_connection() as connection:
        rows: Sequence[Record] = await connection.fetch(sql, *parameters)
        return rows


async def execute(sql: str, *parameters: Any) -> None:
    """Runs one statement that returns nothing, $1… bound to `parameters`."""
    async with get_connection("default").acquire_connection() as connection:
        await connection.execute(sql, *parameters)

"""Which migrations a database lacks: a comparison of names, cheap enough for every check.

Applying them is `config.database.migrate`.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import asyncpg

from config.database_url import credentials

_DIRECTORY = Path(__file__).resolve().parent.parent / "models" / "migrations"
_EXISTS = "SELECT to_regclass('tortoise_migrations') IS NOT NULL AS migrated"
_APPLIED = "SELECT name FROM tortoise_migrations WHERE app = 'models'"

Fetch = Callable[[str], Awaitable[Iterable[Mapping[str, Any]]]]


def migration_names() -> list[str]:
    """Every migration that there is, in order."""
    return sorted(path.stem for path in _DIRECTORY.glob("[0-9]*.py"))


async def lacking(fetch: Fetch) -> list[str]:
    """The migrations that a database lacks, in order.

    Args:
        fetch: runs a query on it and gives its rows.
    """
    found = list(await fetch(_EXISTS))
    applied = {row["name"] for row in await fetch(_APPLIED)} if found[0]["migrated"] else set()
    return [name for name in migration_names() if name not in applied]


async def is_migrated(url: str) -> bool:
    """Whether the database at `url` lacks no migration."""
    connection = await asyncpg.connect(**credentials(url))
    try:
        return not await lacking(connection.fetch)
    finally:
        await connection.close()

"""Finds the migrations that a database lacks, by comparing names; every health check does.

`metergraph.database.opening.migrate` applies them.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import asyncpg

from metergraph.database.database_url import credentials

OLDEST_POSTGRESQL = 15
_DIRECTORY = Path(__file__).resolve().parents[2] / "models" / "migrations"
_FACTS = """
    SELECT current_setting('server_version_num')::int / 10000 AS postgresql,
           to_regclass('tortoise_migrations') IS NOT NULL AS migrated
"""
_APPLIED = "SELECT name FROM tortoise_migrations WHERE app = 'models'"

Fetch = Callable[[str], Awaitable[Iterable[Mapping[str, Any]]]]


class UnsuitableDatabaseError(RuntimeError):
    """This version cannot use the database; the message says why and what to do."""


def migration_names() -> list[str]:
    """All migrations, in order."""
    return sorted(path.stem for path in _DIRECTORY.glob("[0-9]*.py"))


async def lacking(fetch: Fetch) -> list[str]:
    """Returns the migrations that a database lacks, in order.

    Args:
        fetch: runs a query on the database and returns its rows.

    Raises:
        UnsuitableDatabaseError: its PostgreSQL is too old.
    """
    applied = await _applied(fetch)
    return [name for name in migration_names() if name not in applied]


async def refuse_newer(fetch: Fetch) -> None:
    """Refuses a database that a later version of Metergraph has migrated.

    Only `migrate` and `dev` refuse. During a deployment, APIs and workers of the previous version
    still run on the new database.

    Raises:
        UnsuitableDatabaseError: the database has migrations that this version does not know.
    """
    unknown = sorted(await _applied(fetch) - set(migration_names()))
    if unknown:
        raise UnsuitableDatabaseError(
            f"A later version of Metergraph has migrated the database: this version does not "
            f"know {', '.join(unknown)}. Use the later version, or choose another database with "
            "METERGRAPH_DATABASE_URL, or METERGRAPH_DATA_DIR for the embedded one."
        )


async def is_migrated(url: str) -> bool:
    """Whether the database at `url` has all migrations.

    Raises:
        UnsuitableDatabaseError: its PostgreSQL is too old, or its migrations are too new.
    """
    connection = await asyncpg.connect(**credentials(url))
    try:
        await refuse_newer(connection.fetch)
        return not await lacking(connection.fetch)
    finally:
        await connection.close()


async def _applied(fetch: Fetch) -> set[str]:
    (facts,) = await fetch(_FACTS)
    if facts["postgresql"] < OLDEST_POSTGRESQL:
        raise UnsuitableDatabaseError(
            f"The database is PostgreSQL {facts['postgresql']}; Metergraph needs "
            f"{OLDEST_POSTGRESQL} or later."
        )
    return {row["name"] for row in await fetch(_APPLIED)} if facts["migrated"] else set()

"""Opens, closes and migrates PostgreSQL through Tortoise.

A process opens the database once, for all of its tasks:

    async with opened_database(settings, role="worker"):
        await Meter.filter(organization_id=organization_id)

SQL is written as SQL, with its values bound, on the pool or in a transaction:

    from tortoise.connection import get_connection
    from tortoise.transactions import in_transaction

    rows = await get_connection("default").execute_query_dict("SELECT … WHERE id = $1", [id])
    async with in_transaction() as connection:
        rows = await connection.execute_query_dict("INSERT … RETURNING id", [values])

`execute_query_dict` returns the rows of RETURNING; `execute_query` of an INSERT returns only the
command tag. asyncpg returns `jsonb` as text, so that no number becomes a float; send JSON as text
too (`$1::text::jsonb`). `numeric` is a Decimal, `timestamptz` an aware datetime in UTC.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from tortoise import Tortoise
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection
from tortoise.context import TortoiseContext
from tortoise.exceptions import OperationalError
from tortoise.migrations.executor import MigrationTarget

from config.settings import Settings
from metergraph.database.database_url import credentials
from metergraph.database.executor import Executor
from metergraph.database.migrations import lacking, refuse_newer
from metering.months import make_months_ahead
from waiting.outages import Outage, postgres_error

APP = "models"
_APPS: dict[str, dict[str, Any]] = {
    APP: {"models": ["models"], "migrations": "models.migrations", "default_connection": "default"}
}
TORTOISE_ORM = {"connections": {"default": "asyncpg://localhost/metergraph"}, "apps": _APPS}
"""For `tortoise makemigrations`, which compares models with migrations and does not connect."""

# Held while migrating, so that two processes that start at once do not both migrate.
_MIGRATION_LOCK = 0x6D65746572

# Besides the pool: for tokens, health and metrics.
_CONNECTIONS_ASIDE = 3
_SECONDS_BETWEEN_TRIES = 1.0
# A process that hangs in a transaction must not hold an organization's log for ever.
_IDLE_IN_TRANSACTION_SECONDS = 60


class DatabaseNotSetError(RuntimeError):
    """There is no database: no URL is set, and no embedded server runs."""


def tortoise_config(
    url: str,
    *,
    role: str,
    pool_size: int,
    statement_timeout_seconds: float | None = None,
    lock_timeout_seconds: float | None = None,
    outage: Outage | None = None,
) -> dict[str, Any]:
    """Returns Tortoise's configuration for a process.

    Args:
        url: the database's URL.
        role: what the process is, such as "api"; PostgreSQL shows it in `pg_stat_activity`.
        pool_size: the most connections, besides the few that are set aside.
        statement_timeout_seconds: a statement that runs longer is cut off; None: never.
        lock_timeout_seconds: a statement that waits longer for a lock fails; None: never.
        outage: logs outages; None: they are not logged.

    Raises:
        DatabaseURLError: `url` cannot be used.
    """
    found = credentials(url)
    settings = {
        "application_name": found.pop("application_name", f"metergraph {role}"),
        "timezone": "UTC",
        "idle_in_transaction_session_timeout": str(_IDLE_IN_TRANSACTION_SECONDS * 1000),
        # Compiling a short statement costs more than it saves.
        "jit": "off",
    }
    if statement_timeout_seconds is not None:
        settings["statement_timeout"] = str(round(statement_timeout_seconds * 1000))
    if lock_timeout_seconds is not None:
        settings["lock_timeout"] = str(round(lock_timeout_seconds * 1000))
    return {
        "connections": {
            "default": {
                "engine": "metergraph.database.asyncpg_client",
                "credentials": {
                    **found,
                    "minsize": 0,  # else the first one would be made under a lock of the pool
                    "maxsize": pool_size,
                    "aside": _CONNECTIONS_ASIDE,
                    "outage": outage,
                    "statement_timeout_seconds": statement_timeout_seconds,
                    "server_settings": settings,
                },
            }
        },
        "apps": _APPS,
        "use_tz": True,
        "timezone": "UTC",
    }


@asynccontextmanager
async def opened_database(
    settings: Settings,
    *,
    role: str,
    statement_timeout_seconds: float | None = None,
    lock_timeout_seconds: float | None = None,
    outage: Outage | None = None,
) -> AsyncIterator[TortoiseContext]:
    """Opens the database for every task inside the block; connections are made when needed.

    Raises:
        DatabaseNotSetError: `settings` has no URL.
        DatabaseURLError: it cannot be used.
    """
    if settings.database_url is None:
        raise DatabaseNotSetError("METERGRAPH_DATABASE_URL is not set")
    config = tortoise_config(
        settings.database_url,
        role=role,
        pool_size=settings.database_pool_size,
        statement_timeout_seconds=statement_timeout_seconds,
        lock_timeout_seconds=lock_timeout_seconds,
        outage=outage,
    )
    # The fallback makes the database visible to tasks that were started elsewhere:
    # an ASGI server runs the lifespan in one task and every request in another.
    context = await Tortoise.init(config=config, _enable_global_fallback=True)
    try:
        yield context
    finally:
        await context.close_connections()


def aside() -> BaseDBAsyncClient:
    """Returns the open database over the few connections that are set aside.

    Health and metrics use them: they must be right while tenants keep all others busy, and must not
    take connections from tenants.
    """
    client: Any = get_connection("default")
    connections: BaseDBAsyncClient = client.aside
    return connections


async def migrate(settings: Settings, report: Callable[[str], object] | None = None) -> list[str]:
    """Brings the open database to the newest migration; returns the names of those applied.

    Several processes may run it at once. If the database is open with a lock timeout, a migration
    that does not get a lock in time is tried again, so that others do not queue up behind it.

    Args:
        settings: the database's URL.
        report: called with each migration's name as it begins.

    Raises:
        UnsuitableDatabaseError: its PostgreSQL is too old, or its migrations too new.
    """
    applied: list[str] = []
    begun: set[str] = set()

    def progress(event: str, _app: str, name: str) -> None:
        if event == "apply_start" and report is not None and name not in begun:
            begun.add(name)
            report(name)
        if event == "apply_done":
            applied.append(name)

    if settings.database_url is None:
        raise DatabaseNotSetError("METERGRAPH_DATABASE_URL is not set")
    lock = await asyncpg.connect(**credentials(settings.database_url))
    try:
        await hold_migrations(lock)
        await refuse_newer(lock.fetch)
        while await pending_migrations():
            executor = Executor(get_connection("default"), _APPS)
            try:
                await executor.migrate(
                    [MigrationTarget(APP, "__latest__")], direction="forward", progress=progress
                )
            except (asyncpg.LockNotAvailableError, OperationalError) as error:
                if not isinstance(postgres_error(error), asyncpg.LockNotAvailableError):
                    raise
                await asyncio.sleep(_SECONDS_BETWEEN_TRIES)
        await make_months_ahead()
    finally:
        await lock.close()
    return applied


async def hold_migrations(connection: asyncpg.Connection) -> None:
    """Waits until no other process migrates, and keeps others from it until the connection ends.

    A statement that waits would hold a snapshot, and CREATE INDEX CONCURRENTLY waits for its end.
    """
    ask = "SELECT pg_try_advisory_lock($1)"
    while not await connection.fetchval(ask, _MIGRATION_LOCK):  # noqa: ASYNC110  # others' lock
        await asyncio.sleep(_SECONDS_BETWEEN_TRIES)


async def pending_migrations() -> list[str]:
    """Returns the migrations that the open database lacks, in order.

    Raises:
        UnsuitableDatabaseError: its PostgreSQL is too old.
    """
    return await lacking(get_connection("default").execute_query_dict)

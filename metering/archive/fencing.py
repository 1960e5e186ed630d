"""The steps of archiving that change tables: fencing a month off, and dropping it.

None of them blocks other months. What has to wait for a lock gives up after a second and tries
again, so that others do not queue up behind it.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection
from tortoise.transactions import in_transaction

from metering.archive.errors import ArchiveError, ArchiveRunningError
from metering.months import Month, is_cluster, lock_months
from models import ArchivedMonth
from waiting.outages import postgres_error

PATIENCE_SECONDS = 60.0
"""For how long a step is tried again while others hold the locks that it needs."""

_LOCK = 0x61726368697665
_PAUSE_SECONDS = 0.5
_LOCK_TIMEOUT = "SET LOCAL lock_timeout = '1s'"
_TRIGGER = "refuse_events"

_STATE = """
SELECT to_regclass($1) IS NOT NULL AS is_there, inhdetachpending AS is_pending
FROM (VALUES (1)) AS one LEFT JOIN pg_inherits
    ON inhrelid = to_regclass($1) AND inhparent = 'event'::regclass
"""


@asynccontextmanager
async def only_one() -> AsyncIterator[None]:
    """Keeps other archives and restores out, until the block ends or this process dies.

    Raises:
        ArchiveRunningError: another one is running.
        ArchiveError: the database is a cluster's.
    """
    if await is_cluster(get_connection("default")):
        raise ArchiveError(
            "The database uses Citus, on which months cannot be archived: "
            "its partitions cannot be detached while they are in use."
        )
    async with _connection() as held:
        if not await held.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
            raise ArchiveRunningError("Another archive or restore is running.")
        try:
            yield
        finally:
            await held.fetchval("SELECT pg_advisory_unlock($1)", _LOCK)


def _connection() -> Any:
    client: Any = get_connection("default")
    return client.acquire_connection()


async def fence(month: Month, archive_id: UUID, directory: Path) -> None:
    """Refuses events of a month from now on, and records that it is being archived."""

    async def run(connection: BaseDBAsyncClient) -> None:
        await lock_months(connection)
        await connection.execute_query(
            """
            INSERT INTO archived_month (
                name, id, partition, starts_at, ends_at, directory, events, bytes, began_at
            ) VALUES ($1, $2, $3, $4, $5, $6, 0, 0, now())
            """,
            [month.name, archive_id, month.partition, month.start, month.end, str(directory)],
        )
        await connection.execute_script(fence_sql(month.partition))

    await patiently(run, f"{month.name} is in use")


def fence_sql(partition: str) -> str:
    """SQL: makes a table refuse events."""
    return (
        f"CREATE TRIGGER {_TRIGGER} BEFORE INSERT OR UPDATE ON {partition}"
        " FOR EACH ROW EXECUTE FUNCTION refuse_events_of_archive()"
    )


def unfence_sql(partition: str) -> str:
    """SQL: makes a table accept events again."""
    return f"DROP TRIGGER IF EXISTS {_TRIGGER} ON {partition}"


async def unfence(row: ArchivedMonth) -> None:
    """Accepts events of a month again that was not archived after all."""

    async def run(connection: BaseDBAsyncClient) -> None:
        await connection.execute_script(unfence_sql(row.partition))
        await connection.execute_query(
            "DELETE FROM archived_month WHERE id = $1 AND archived_at IS NULL", [row.id]
        )

    await patiently(run, f"{row.name} is in use")


async def patiently(
    run: Callable[[BaseDBAsyncClient], Awaitable[None]],
    problem: str,
    seconds: float = PATIENCE_SECONDS,
) -> None:
    """Runs a transaction that needs locks, and tries again for a while if it does not get them.

    Raises:
        ArchiveError: it did not get them.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            async with in_transaction() as connection:
                await connection.execute_script(_LOCK_TIMEOUT)
                await run(connection)
        except Exception as error:
            if not _is_locked(error):
                raise
            if time.monotonic() >= deadline:
                raise ArchiveError(
                    f"{problem} by a transaction that takes long. Run the command again later."
                ) from error
            await asyncio.sleep(_PAUSE_SECONDS)
        else:
            return


def _is_locked(error: BaseException) -> bool:
    found = postgres_error(error)
    return isinstance(found, asyncpg.LockNotAvailableError | asyncpg.DeadlockDetectedError)


async def drop(row: ArchivedMonth, seconds: float = PATIENCE_SECONDS) -> None:
    """Detaches and drops the table of an archived month.

    Detaching waits for all transactions that may still read the month, and blocks nothing while it
    waits. If it is interrupted, the next call goes on.

    Raises:
        ArchiveError: such a transaction did not end in time.
    """
    deadline = time.monotonic() + seconds
    async with _connection() as held:
        # Detaching cannot be part of a transaction, and so neither can the setting.
        await held.execute("SET lock_timeout = '5s'")
        try:
            while (step := await _next_step(held, row.partition)) is not None:
                try:
                    await held.execute(step)
                except asyncpg.LockNotAvailableError as error:
                    if time.monotonic() >= deadline:
                        raise ArchiveError(
                            f"{row.name} is archived, but a transaction that takes long may still "
                            "read its table. Run the command again later: it then drops the table."
                        ) from error
        finally:
            await held.execute("RESET lock_timeout")
    await ArchivedMonth.filter(id=row.id).update(dropped_at=await _now())


async def _next_step(held: Any, partition: str) -> str | None:
    found = await held.fetchrow(_STATE, partition)
    if not found["is_there"]:
        return None
    match found["is_pending"]:
        case None:
            return f"DROP TABLE {partition}"
        case True:
            return f"ALTER TABLE event DETACH PARTITION {partition} FINALIZE"
        case _:
            return f"ALTER TABLE event DETACH PARTITION {partition} CONCURRENTLY"


async def _now() -> Any:
    [row] = await get_connection("default").execute_query_dict("SELECT now() AS now")
    return row["now"]

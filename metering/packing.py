"""Packs the indexes of months that are over, so that they take a third less of the disk.

While events arrive, they go to the middle of an index, whose pages split and stay about two thirds
full. Once a month is over, a copy of each of its indexes is built with full pages, one at a time.
Meanwhile events of the month are stored and read as always. `packed_index` says what is done.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection

from metering.months import HAS_CITUS

PATIENCE_SECONDS = 600
"""For how long a step waits for a transaction that uses the month, or that is just old."""

# Held by the session that packs, so that there is only one.
_LOCK = 0x7061636B
SETTINGS = {"max_parallel_maintenance_workers": "0"}

_MONTHS = """
FROM pg_inherits
JOIN pg_class AS month ON month.oid = inhrelid
JOIN pg_index ON indrelid = month.oid
JOIN pg_class AS found ON found.oid = indexrelid
"""

# Most late events come within a week. An index that grows by a fifth all the same, because a month
# of long ago is filled, is packed again. A small one would not become smaller. With 0 instead of
# the table, pg_get_expr does not wait for its locks, and neither does who reads metrics.
_TO_PACK = rf"""
SELECT found.relname AS name, found.oid::regclass::text AS identifier,
       pg_relation_size(found.oid) AS bytes
{_MONTHS}
LEFT JOIN packed_index AS packed ON packed.name = found.relname
WHERE inhparent = 'event'::regclass AND NOT inhdetachpending AND indisvalid
  AND substring(pg_get_expr(month.relpartbound, 0) FROM $$TO \('(.*)'\)$$)::timestamptz
      < now() - interval '7 days'
  AND pg_relation_size(found.oid) > 1048576
  AND (
      packed.name IS NULL
      OR packed.packed_at < now() - interval '7 days'
     AND pg_relation_size(found.oid) > 1.2 * packed.bytes
  )
  AND NOT EXISTS (SELECT FROM archived_month WHERE archived_month.partition = month.relname)
  AND NOT {HAS_CITUS}
ORDER BY month.oid, found.oid
"""

# What a run leaves that is killed, or that cannot finish.
_LEFT = rf"""
SELECT found.oid::regclass::text AS identifier
{_MONTHS}
WHERE inhparent = 'event'::regclass AND NOT indisvalid
  AND found.relname ~ '_cc(new|old)\d*$'
"""

_NOTE = """
INSERT INTO packed_index (name, bytes, packed_at)
VALUES ($1, pg_relation_size($2::text::regclass), now())
ON CONFLICT (name) DO UPDATE SET bytes = EXCLUDED.bytes, packed_at = EXCLUDED.packed_at
RETURNING bytes
"""


class PackingWaitsError(RuntimeError):
    """An index cannot be packed now; the message says why."""


@dataclass(frozen=True, slots=True)
class Packed:
    """An index that was packed, and its bytes before and after."""

    index: str
    bytes_before: int
    bytes: int


async def indexes_to_pack(connection: BaseDBAsyncClient) -> list[dict[str, Any]]:
    """Returns the `name`, `identifier` and `bytes` of each; none on Citus."""
    return await connection.execute_query_dict(_TO_PACK)


async def pack_next(patience_seconds: float = PATIENCE_SECONDS) -> Packed | None:
    """Packs the index that comes next; returns None if there is none, or if another process packs.

    Raises:
        PackingWaitsError: a transaction does not end. The next call drops what is left.
    """
    async with _session(patience_seconds) as held:
        if held is None:
            return None
        try:
            await _drop_left(held)
            found = await indexes_to_pack(get_connection("default"))
            return await _pack(held, found[0]) if found else None
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError) as error:
            raise PackingWaitsError(
                "A transaction takes long, such as pg_dump or a long query."
            ) from error
        except asyncpg.UndefinedTableError as error:
            raise PackingWaitsError("The month was archived meanwhile.") from error


@asynccontextmanager
async def _session(patience_seconds: float) -> AsyncIterator[Any | None]:
    """A connection that is the only one to pack; None if another one is."""
    client: Any = get_connection("default")
    async with client.acquire_connection() as held:
        if not await held.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
            yield None
            return
        # REINDEX CONCURRENTLY cannot be part of a transaction, and so neither can settings.
        settings = SETTINGS | {"lock_timeout": str(round(patience_seconds * 1000))}
        try:
            await held.execute("; ".join(f"SET {name} = {settings[name]}" for name in settings))
            yield held
        finally:
            await held.execute("; ".join(f"RESET {name}" for name in settings))
            await held.fetchval("SELECT pg_advisory_unlock($1)", _LOCK)


async def _pack(held: Any, found: dict[str, Any]) -> Packed:
    identifier = found["identifier"]
    await held.execute(f"ALTER INDEX {identifier} SET (fillfactor = 100)")
    try:
        await held.execute(f"REINDEX INDEX CONCURRENTLY {identifier}")
    except asyncpg.InsufficientResourcesError:
        # The disk may be full, and what is left takes space.
        await _drop_left(held)
        raise
    size = await held.fetchval(_NOTE, found["name"], identifier)
    return Packed(found["name"], found["bytes"], size)


async def _drop_left(held: Any) -> None:
    for row in await held.fetch(_LEFT):
        await held.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {row['identifier']}")

"""Distributes the tables of a Citus coordinator by organization; docs/scaling.md describes it.

All rows of an organization come to lie on one node, in shards that are kept together. What must be
found before the organization is known is in reference tables, which every node has as a whole.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum
from graphlib import TopologicalSorter

import asyncpg

from config.settings import Settings
from metergraph.database.database_url import credentials
from metergraph.database.opening import DatabaseNotSetError, hold_migrations

REFERENCE_TABLES = frozenset(
    {
        "organization",
        "access_token",
        "customer_session",
        "browser_session",
        "log_timeline",
        "archived_month",
        "packed_index",
    }
)
"""Organizations are found by their slug, tokens and sessions by the hash of their secret.

Timelines, archived months and packed indexes are of the whole database.
"""

LOCAL_TABLES = frozenset({"tortoise_migrations"})
"""Stays on the coordinator."""

# The other tables are kept together with this one.
_FIRST = "event_log"

# A table that references others comes after them. Partitions go with their table.
_TABLES = """
SELECT c.relname AS name,
       array_agg(DISTINCT referenced.relname) FILTER (WHERE referenced.oid <> c.oid)
           AS referenced,
       EXISTS (
           SELECT FROM pg_attribute column_
           WHERE column_.attrelid = c.oid AND column_.attname = 'organization_id'
       ) AS has_organization
FROM pg_class c
LEFT JOIN pg_constraint fk ON fk.conrelid = c.oid AND fk.contype = 'f'
LEFT JOIN pg_class referenced ON referenced.oid = fk.confrelid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
  AND NOT c.relispartition
GROUP BY c.oid, c.relname
"""

_HAS_CITUS = "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')"
_DISTRIBUTED = "SELECT logicalrelid::regclass::text AS name FROM pg_dist_partition"


class NotACoordinatorError(RuntimeError):
    """The tables of this database cannot be distributed; the message says why."""


class Distribution(Enum):
    """What a database is to Citus."""

    PLAIN = "without Citus"
    WORKER = "on a worker node"
    UNDISTRIBUTED = "on a coordinator, with tables of its own only"
    DISTRIBUTED = "on a coordinator, with distributed tables"


@dataclass(frozen=True, slots=True)
class Table:
    """A table, and whether each node has all of its rows."""

    name: str
    is_reference: bool


async def tables(connection: asyncpg.Connection) -> list[Table]:
    """Returns the tables that a cluster distributes, in an order in which that is possible.

    Raises:
        LookupError: a table has no organization_id and is in no list of this module.
    """
    rows = {row["name"]: row for row in await connection.fetch(_TABLES)}
    strange = {
        name
        for name, row in rows.items()
        if not row["has_organization"] and name not in REFERENCE_TABLES | LOCAL_TABLES
    }
    if strange:
        raise LookupError(f"organization_id is missing in {', '.join(sorted(strange))}")
    before: dict[str, set[str]] = {name: {*(row["referenced"] or ())} for name, row in rows.items()}
    for name in rows.keys() - REFERENCE_TABLES - {_FIRST}:
        before[name].add(_FIRST)
    return [
        Table(name, is_reference=name in REFERENCE_TABLES)
        for name in TopologicalSorter(before).static_order()
        if name not in LOCAL_TABLES
    ]


async def distribution_of(settings: Settings) -> Distribution:
    """Returns what the database is to Citus."""
    async with _connected(settings) as connection:
        return await _distribution_of(connection)


async def _distribution_of(connection: asyncpg.Connection) -> Distribution:
    if not await connection.fetchval(_HAS_CITUS):
        return Distribution.PLAIN
    if await connection.fetchval("SELECT groupid FROM pg_dist_local_group") != 0:
        return Distribution.WORKER
    is_distributed = await connection.fetchval(f"SELECT EXISTS ({_DISTRIBUTED})")
    return Distribution.DISTRIBUTED if is_distributed else Distribution.UNDISTRIBUTED


def refuse_plain(found: Distribution) -> None:
    """Refuses databases that are not those of a coordinator.

    Raises:
        NotACoordinatorError: with what to do.
    """
    if found is Distribution.PLAIN:
        raise NotACoordinatorError(
            "The database is plain PostgreSQL, without the extension citus, so its tables stay on"
            " one server. Metergraph needs no cluster; docs/scaling.md says when one helps."
        )
    if found is Distribution.WORKER:
        raise NotACoordinatorError(
            "The database is that of a worker node. Set METERGRAPH_DATABASE_URL to the coordinator."
        )


async def distribute(settings: Settings, report: Callable[[Table], object]) -> list[Table]:
    """Distributes the tables that are not distributed yet, and returns them.

    Each table is distributed in a transaction of its own; after a kill, the rest can follow. The
    database has all migrations, and nothing else uses it meanwhile.

    Args:
        settings: the URL of the coordinator's database.
        report: called with each table when it has been distributed.

    Raises:
        NotACoordinatorError: the database is plain PostgreSQL, or that of a worker node.
    """
    async with _connected(settings) as connection:
        await hold_migrations(connection)
        refuse_plain(await _distribution_of(connection))
        # The triggers of the audit log and of issued invoices look at nothing but their statement.
        await connection.execute("SET citus.enable_unsafe_triggers TO on")
        done = {row["name"] for row in await connection.fetch(_DISTRIBUTED)}
        missing = [table for table in await tables(connection) if table.name not in done]
        for table in missing:
            await _distribute(connection, table)
            report(table)
        return missing


async def _distribute(connection: asyncpg.Connection, table: Table) -> None:
    if table.is_reference:
        await connection.execute("SELECT create_reference_table($1::text::regclass)", table.name)
        return
    await connection.execute(
        "SELECT create_distributed_table($1::text::regclass, 'organization_id',"
        " colocate_with => $2)",
        table.name,
        "none" if table.name == _FIRST else _FIRST,
    )


@asynccontextmanager
async def _connected(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    if settings.database_url is None:
        raise DatabaseNotSetError("METERGRAPH_DATABASE_URL is not set")
    connection = await asyncpg.connect(**credentials(settings.database_url))
    try:
        yield connection
    finally:
        await connection.close()

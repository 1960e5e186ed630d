"""The rules that let the tables be distributed by organization, on plain PostgreSQL.

Every test checks the statements that it runs (`judging`). The tests here
show that the check finds what a cluster refuses, and check the tables.
"""

import importlib
from collections.abc import Awaitable, Callable
from functools import reduce
from typing import Any

import asyncpg
import pytest
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection

from metergraph.database.distribution import LOCAL_TABLES, REFERENCE_TABLES, tables
from models import Meter, Organization
from tests.distribution.collecting import Collector, Sent
from tests.distribution.exceptions import EVERY_ORGANIZATION
from tests.distribution.judging import Judge

REFUSED = {
    "SELECT name FROM meter WHERE id = $1": "reads meter without",
    "SELECT FROM meter": "reads meter without",
    "SELECT FROM usage_bucket WHERE meter_id = $1 AND customer_id = $2": "reads usage_bucket",
    "SELECT FROM meter WHERE organization_id = ANY($1::uuid[])": "reads meter without",
    "SELECT FROM meter WHERE organization_id = $1 OR id = $2": "reads meter without",
    "SELECT FROM meter WHERE organization_id <> $1": "reads meter without",
    # A cluster does not know that the two are of one organization.
    """
    SELECT FROM invoice WHERE organization_id = $1 AND EXISTS (
        SELECT FROM invoice_line line WHERE line.invoice_id = invoice.id
    )
    """: "reads invoice_line without",
    """
    SELECT (SELECT name FROM meter WHERE meter.organization_id = kept.organization_id LIMIT 1)
    FROM customer_meter kept WHERE kept.organization_id = $1
    """: "reads meter without",
    """
    SELECT FROM meter
    WHERE organization_id = (SELECT id FROM organization WHERE slug = $1)
    """: "reads meter without",
    "UPDATE meter SET name = $2 WHERE id = $1": "reads meter without",
    "DELETE FROM usage_alert WHERE id = $1": "reads usage_alert without",
    "SELECT FROM meter JOIN event ON event.organization_id = $1": "reads meter without",
    "UPDATE meter SET name = $2, organization_id = $1 WHERE organization_id = $1": "writes org",
    "UPDATE meter SET (name, organization_id) = ($2, $1) WHERE organization_id = $1": "writes org",
    "UPDATE meter SET retry_at = clock_timestamp() WHERE organization_id = $1": "calls clock_",
    """
    WITH moved AS (
        UPDATE meter SET name = random()::text WHERE organization_id = $1 RETURNING id
    )
    SELECT FROM moved
    """: "calls random, which is volatile",
    "DELETE FROM meter WHERE organization_id = $1 AND random() < 0.5": "volatile, in DELETE",
    """
    INSERT INTO invoice_counter (organization_id, last_sequence) VALUES ($1, 1)
    ON CONFLICT (organization_id) DO UPDATE SET last_sequence = (SELECT count(*) FROM pg_class)
    """: "has a subquery in DO UPDATE",
    """
    INSERT INTO usage_audit AS kept (organization_id, customer_id, started_at)
    VALUES ($1, $2, now())
    ON CONFLICT (organization_id) DO UPDATE SET started_at = now() RETURNING 1
    """: "calls now, which is not immutable, in DO UPDATE",
    """
    INSERT INTO usage_audit AS kept (organization_id, customer_id, started_at)
    VALUES ($1, $2, now())
    ON CONFLICT (organization_id) DO UPDATE SET started_at = CURRENT_TIMESTAMP
    """: "calls current_timestamp",
    """
    INSERT INTO usage_audit AS kept (organization_id, customer_id, started_at)
    VALUES ($1, $2, now())
    ON CONFLICT (organization_id) DO UPDATE SET next_from = CASE
        WHEN extract(epoch FROM excluded.started_at) > 0 THEN kept.next_from END
    """: "calls extract, which is not immutable",
    "UPDATE customer_subscription SET quantity = 2 WHERE organization_id = $1": "its revision",
    "SELECT FROM no_such_table": "cannot be planned",
}

ALLOWED = (
    "SELECT name FROM meter WHERE organization_id = $1 AND id = $2",
    'SELECT "name" FROM "meter" WHERE "id"=$1 AND "organization_id"=$2 FOR UPDATE',
    """
    SELECT FROM meter JOIN event ON event.organization_id = meter.organization_id
    WHERE meter.organization_id = $1
    """,
    """
    INSERT INTO usage_audit AS kept (organization_id, customer_id, started_at)
    VALUES ($1, $2, now())
    ON CONFLICT (organization_id) DO UPDATE SET next_from = CASE
        WHEN extract(epoch FROM excluded.started_at - kept.started_at) > 0 THEN kept.next_from END
    """,
    "SELECT FROM organization WHERE slug = $1",
    "DELETE FROM customer_session WHERE expires_at < now()",
    "INSERT INTO alert_trigger SELECT $1, gen_random_uuid() FROM unnest($2::int[])",
    "UPDATE customer_subscription SET revision = 2 WHERE organization_id = $1",
    "SELECT clock_timestamp()",
    "SET LOCAL jit = off",
    "BEGIN",
)


@pytest.mark.parametrize(("statement", "fault"), REFUSED.items())
async def test_a_statement_that_a_cluster_refuses_is_found(
    database: BaseDBAsyncClient, judge: Judge, statement: str, fault: str
) -> None:
    found = await judge.faults([Sent(statement, "billing.bills:pay")])
    assert any(fault in one for one in found), found
    assert all("A statement of billing.bills:pay" in one and statement in one for one in found)


@pytest.mark.parametrize("statement", ALLOWED)
async def test_a_statement_of_one_organization_passes(
    database: BaseDBAsyncClient, judge: Judge, statement: str
) -> None:
    assert await judge.faults([Sent(statement, "billing.bills:pay")]) == []


async def test_the_scan_of_every_table_is_seen(
    planning_database: asyncpg.Connection, judge: Judge
) -> None:
    """Also where the table has partitions."""
    for table in await tables(planning_database):
        if not table.is_reference:
            (fault,) = await judge.faults([Sent(f"SELECT FROM {table.name}", "somewhere")])
            assert f"reads {table.name} without" in fault


async def test_an_exception_may_read_every_organization_but_not_call_what_is_refused(
    database: BaseDBAsyncClient, judge: Judge
) -> None:
    sender = next(iter(EVERY_ORGANIZATION))
    assert await judge.faults([Sent("SELECT FROM meter WHERE id = $1", sender)]) == []
    assert await judge.faults([Sent("UPDATE meter SET name = random()::text", sender)])


@pytest.mark.parametrize("name", EVERY_ORGANIZATION)
def test_an_exception_is_a_function_that_exists(name: str) -> None:
    module, function = name.split(":")
    found: Any = reduce(getattr, function.split("."), importlib.import_module(module))
    assert callable(found)


async def test_the_statements_of_the_product_are_collected_and_those_of_tests_are_not(
    database: BaseDBAsyncClient,
    organization: Organization,
    collector: Collector,
    request: pytest.FixtureRequest,
) -> None:
    assert "statements_fit_a_cluster" in request.fixturenames
    collector.take()
    file = importlib.import_module("metering.meters").__file__
    source = "async def read(connection): await connection.execute_query('SELECT 1 AS product')"
    names: dict[str, Any] = {"__name__": "metering.meters"}
    exec(compile(source, str(file), "exec"), names)
    read: Callable[[BaseDBAsyncClient], Awaitable[None]] = names["read"]

    await Meter.get_or_none(id=organization.id)
    await get_connection("default").execute_query("SELECT 1 AS test")
    await read(database)
    await read(database)

    assert collector.take() == [Sent("SELECT 1 AS product", "metering.meters:read")]


async def test_every_key_of_an_organizations_table_contains_the_organization(
    planning_database: asyncpg.Connection,
) -> None:
    rows = await planning_database.fetch(
        """
        SELECT indexed.relname AS table, named.relname AS index FROM pg_index
        JOIN pg_class indexed ON indexed.oid = indrelid
        JOIN pg_class named ON named.oid = indexrelid
        WHERE indisunique AND indexed.relnamespace = 'public'::regnamespace AND NOT EXISTS (
            SELECT FROM pg_attribute
            WHERE attrelid = indrelid AND attname = 'organization_id' AND attnum = ANY(indkey)
        )
        """
    )
    of_others = REFERENCE_TABLES | LOCAL_TABLES
    assert [row["index"] for row in rows if row["table"] not in of_others] == []


async def test_every_table_has_a_place_in_a_cluster(
    planning_database: asyncpg.Connection,
) -> None:
    """A table without organization_id must be named in `metergraph.database.distribution`."""
    names = [table.name for table in await tables(planning_database)]
    assert {table.name for table in await tables(planning_database) if table.is_reference} == (
        REFERENCE_TABLES
    )
    rows = await planning_database.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND relkind IN ('r', 'p') AND NOT relispartition"
    )
    assert sorted([*names, "tortoise_migrations"]) == sorted(row["relname"] for row in rows)
    # A foreign key needs its target on the same node.
    assert names.index("organization") < names.index("access_token")
    assert names.index("outbox_event") < names.index("webhook_delivery")


async def test_a_table_that_is_in_no_list_is_named(
    planning_database: asyncpg.Connection,
) -> None:
    transaction = planning_database.transaction()
    await transaction.start()
    try:
        await planning_database.execute("CREATE TABLE forgotten (id int)")
        with pytest.raises(LookupError, match="forgotten"):
            await tables(planning_database)
    finally:
        await transaction.rollback()

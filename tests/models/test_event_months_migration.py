"""A database in use is migrated to events by month: nothing is lost, also after a kill."""

import asyncio
from importlib import import_module
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection
from tortoise.exceptions import DBConnectionError, OperationalError
from tortoise.migrations.executor import MigrationTarget

from config.settings import Settings
from metergraph.database.executor import Executor
from metergraph.database.opening import APP, TORTOISE_ORM, migrate
from metering.ingest.storing import ReceiptStatus
from metering.language.aggregations import Aggregation, AggregationFunction
from metering.language.filters import Filter
from metering.meters import create_meter
from models import Event, EventKey, Organization
from models.identifiers import new_id
from tests.ingesting import NOON, drain, send
from tests.postgres import connection_to

STORED = 45_000  # more than two chunks of 0044

# As the previous version stores events.
STORE = """
WITH batch AS MATERIALIZED (
    SELECT nextval(pg_get_serial_sequence('event_batch', 'id')) AS id,
           clock_timestamp() AS received_at
), stored AS (
    INSERT INTO event (
        organization_id, id, batch_id, customer_id, name, external_id, timestamp, metadata
    )
    SELECT $1, new.id, batch.id, $2, 'ai_usage', new.external_id, $3, '{"tokens": 1}'
    FROM batch, unnest($4::uuid[], $5::text[]) AS new (id, external_id)
    ON CONFLICT (organization_id, external_id) WHERE external_id IS NOT NULL DO NOTHING
    RETURNING name
)
INSERT INTO event_batch (organization_id, id, event_count, names, received_at)
SELECT $1, batch.id, count(*), array_agg(DISTINCT stored.name), batch.received_at
FROM batch, stored GROUP BY batch.id, batch.received_at
"""

TAKE = """
INSERT INTO event_key (organization_id, key, event_id, timestamp)
VALUES ($1, external_id_key($2), $3, now())
"""


async def migrate_to(*names: str) -> None:
    """Brings the open database to some migrations."""
    apps: Any = TORTOISE_ORM["apps"]
    executor = Executor(get_connection("default"), apps)
    targets = [MigrationTarget(APP, name) for name in names]
    await executor.migrate(targets, direction="forward")


@pytest.fixture
async def customer(fresh_database: BaseDBAsyncClient) -> tuple[UUID, UUID]:
    """An organization and a customer, in a database of the previous version."""
    await fresh_database.execute_script("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    first: Any = import_module("models.migrations.0043_event_keys").Migration
    await migrate_to(*(name for _app, name in first.dependencies))
    organization_id, customer_id = new_id(), new_id()
    await fresh_database.execute_query(
        "INSERT INTO customer (organization_id, id, external_id, created_at)"
        " VALUES ($1, $2, 'c1', now())",
        [organization_id, customer_id],
    )
    return organization_id, customer_id


async def store(connection: asyncpg.Connection, of: tuple[UUID, UUID], *names: str) -> None:
    """Stores events with these external ids as the previous version does."""
    await connection.execute(STORE, *of, NOON, [new_id() for _ in names], list(names))


async def kill_the_waiting(observer: asyncpg.Connection) -> None:
    """Ends the connection of whoever waits for a lock, as a kill of its process does."""
    waiting = (
        "SELECT pg_terminate_backend(pid) FROM pg_locks"
        " WHERE NOT granted AND locktype = 'transactionid'"
    )
    while not await observer.fetch(waiting):  # noqa: ASYNC110  # locks have no event
        await asyncio.sleep(0.05)


async def test_events_are_stored_during_the_migration_which_continues_after_a_kill(
    fresh_database: BaseDBAsyncClient, settings: Settings, customer: tuple[UUID, UUID]
) -> None:
    organization_id, _ = customer
    sent: list[str] = []

    async def keep_storing(connection: asyncpg.Connection) -> None:
        while True:
            name = f"meanwhile {len(sent)}"
            await store(connection, customer, name)
            sent.append(name)

    async with (
        asyncio.timeout(900),
        connection_to(settings) as storing,
        connection_to(settings) as rival,
        connection_to(settings) as observer,
    ):
        for first in range(0, STORED, 5_000):
            names = [f"stored {number:06}" for number in range(first, first + 5_000)]
            await store(storing, customer, *names)
        load = asyncio.create_task(keep_storing(storing))
        await migrate_to("0043_event_keys")
        # The last chunk waits for a key that somebody else is taking.
        last = f"stored {STORED - 1:06}"
        transaction = rival.transaction()
        await transaction.start()
        await rival.execute(TAKE, organization_id, last, new_id())
        killed = asyncio.create_task(migrate(settings))
        await kill_the_waiting(observer)
        with pytest.raises((asyncpg.PostgresError, DBConnectionError, OperationalError)):
            await killed
        await transaction.rollback()
        assert not load.done()
        made = await EventKey.filter(organization_id=organization_id).count()
        assert STORED - 20_000 < made < STORED + len(sent)

        await migrate(settings)
        with pytest.raises(asyncpg.InvalidColumnReferenceError):
            await load  # the previous version cannot store events from now on

    await Organization.create(id=organization_id, name="Old", slug="old")
    everything = [*(f"stored {number:06}" for number in range(STORED)), *sent]
    assert await Event.all().count() == await EventKey.all().count() == len(everything)
    counting = Aggregation(AggregationFunction.COUNT, None)
    meter = await create_meter(organization_id, AggregationFunction.COUNT, None, Filter(), counting)
    await drain(organization_id)
    await meter.refresh_from_db()
    assert meter.counted_events == len(everything)

    again = [*everything[::1_000], *sent, last]
    usual = {"metadata": {"tokens": 1}}
    receipts = await send(organization_id, *({**usual, "externalId": name} for name in again))
    assert {receipt.status for receipt in receipts} == {ReceiptStatus.DUPLICATE}
    held = await Event.filter(external_id__in=again).values_list("external_id", "id")
    assert [receipt.event_id for receipt in receipts] == [dict(held)[name] for name in again]

"""Changes of customer meters: noted as they happen, read in their order, and removed when stale."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from importlib import import_module
from typing import Any
from uuid import UUID

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.transactions import in_transaction

from metering.audit.recompute import recompute_customer_meter
from metering.counting import compacting
from metering.counting.compacting import compact, logs_to_compact
from metering.counting.log import LogState, lock_log
from metering.language.aggregations import AggregationFunction
from metering.live import changed_usage
from metering.live.change_feed import BEGINNING, Cursor
from metering.live.changes import UsageSelection, read_usage
from models import CustomerMeter, EventLog, Organization, UsageChange
from tests.billing.world import World
from tests.ingesting import drain, meter_of, send
from waiting.patience import Patience
from workers.compact_changes import compact_changes


async def use(organization: Organization, customers: Sequence[int]) -> None:
    """One event of each of these customers, counted in one step."""
    await send(organization.id, *({"externalCustomerId": f"c{number}"} for number in customers))
    await drain(organization.id)


async def in_order(organization: Organization) -> list[Cursor]:
    """Where each customer meter is in the order of changes."""
    rows = await CustomerMeter.filter(organization_id=organization.id)
    return sorted(Cursor(row.revision, row.id) for row in rows)


async def followed(
    organization: Organization,
    limit: int = 1_000,
    after: Cursor = BEGINNING,
    selection: UsageSelection | None = None,
) -> list[Cursor]:
    """Where a follower finds changes, page by page."""
    found: list[Cursor] = []
    while True:
        page = await read_usage(organization.id, after, limit, selection)
        found += [entry.cursor for entry in page]
        if len(page) < limit:
            return found
        after = found[-1]


async def test_counting_changes_no_column_of_an_index(database: BaseDBAsyncClient) -> None:
    """So PostgreSQL needs to write none of the indexes.

    What credit lasts until changes when a grant begins or ends.
    """
    rows = await database.execute_query_dict(
        """
        SELECT DISTINCT attname FROM pg_index
        JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY(indkey)
        WHERE indrelid = 'customer_meter'::regclass
        """
    )
    assert {row["attname"] for row in rows} == {
        *("organization_id", "id", "meter_id", "customer_id"),
        "credit_until",
    }


@pytest.mark.parametrize("limit", [7, 1_000])
async def test_a_follower_reads_every_customer_meter_in_the_order_of_changes(
    organization: Organization, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    """Rows of one revision overlap, because each of its meters notes its own."""
    monkeypatch.setattr(changed_usage, "_ROWS_AT_ONCE", 2)
    meters = [await meter_of(organization.id, AggregationFunction.COUNT) for _ in range(3)]
    await use(organization, range(230))
    await use(organization, range(0, 230, 3))
    await use(organization, [5])

    expected = await in_order(organization)
    assert len(expected) == 690
    assert await followed(organization, limit) == expected
    assert await followed(organization, limit, expected[400]) == expected[401:]
    of_meter = await CustomerMeter.filter(meter_id=meters[1].id).values_list("id", flat=True)
    assert await followed(organization, limit, selection=UsageSelection(meter_id=meters[1].id)) == [
        cursor for cursor in expected if cursor.id in of_meter
    ]


async def test_stale_changes_are_removed_and_no_cursor_misses_anything(
    organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compacting, "SPARE_CHANGES", 20)
    await meter_of(organization.id, AggregationFunction.COUNT)
    await use(organization, range(10))
    await use(organization, range(5))
    assert organization.id not in await logs_to_compact()
    cursor = (await in_order(organization))[2]
    await use(organization, range(8))
    await use(organization, [9])
    assert organization.id in await logs_to_compact()

    expected = await in_order(organization)
    await compact_changes(Patience())

    assert await followed(organization) == expected
    assert await followed(organization, after=cursor) == [one for one in expected if one > cursor]
    noted = await UsageChange.filter(organization_id=organization.id).values_list("ids", flat=True)
    assert sorted(one for ids in noted for one in ids) == sorted(one.id for one in expected)
    log = await EventLog.get(organization_id=organization.id)
    assert (log.changes, log.current_changes) == (10, 10)
    assert organization.id not in await logs_to_compact()


class _Between:
    """Does something else, in a transaction of its own, before a compaction takes the lock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, work: Callable[[], Awaitable[Any]]) -> None:
        self._reached = asyncio.Event()
        self._work = work
        self.task = asyncio.create_task(self._wait_and_work())
        monkeypatch.setattr(compacting, "lock_log", self._lock_log)

    async def _wait_and_work(self) -> Any:
        await self._reached.wait()
        return await self._work()

    async def _lock_log(self, connection: BaseDBAsyncClient, organization_id: UUID) -> LogState:
        self._reached.set()
        await self.task
        return await lock_log(connection, organization_id)


async def test_changes_that_are_counted_during_a_compaction_stay(
    organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    await meter_of(organization.id, AggregationFunction.COUNT)
    await use(organization, range(10))
    _Between(monkeypatch, lambda: use(organization, [3, 11]))
    assert await compact(organization.id)
    assert await followed(organization) == await in_order(organization)
    log = await EventLog.get(organization_id=organization.id)
    assert (log.changes, log.current_changes) == (12, 10)


async def test_one_worker_compacts_a_log_at_a_time(
    organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    await meter_of(organization.id, AggregationFunction.COUNT)
    await use(organization, [1])
    other = _Between(monkeypatch, lambda: compact(organization.id))
    assert await compact(organization.id)
    assert other.task.result() is False
    assert len(await UsageChange.filter(organization_id=organization.id)) == 1


async def test_credit_and_renewals_are_followed(
    fresh_database: BaseDBAsyncClient, organization: Organization
) -> None:
    world = World(organization, fresh_database)
    customer, _meter, _subscription = await world.subscribed(fixed=100, units=5)
    begun = await in_order(organization)
    assert await followed(organization) == begun
    await world.use(customer, ("2026-01-10", 7))
    used = await in_order(organization)
    assert used > begun
    assert await followed(organization) == used
    await world.cycle("2026-02-01")
    renewed = await in_order(organization)
    assert renewed > used
    assert await followed(organization) == renewed


async def test_repairs_are_followed(
    database: BaseDBAsyncClient, organization: Organization
) -> None:
    await meter_of(organization.id, AggregationFunction.COUNT)
    await use(organization, [1, 2, 3])
    before = await in_order(organization)
    await database.execute_query(
        "UPDATE customer_meter SET count = 7, consumed = 7 WHERE organization_id = $1 AND id = $2",
        [organization.id, before[0].id],
    )
    await recompute_customer_meter(organization.id, before[0].id)
    repaired = await in_order(organization)
    assert [cursor.id for cursor in repaired] == [before[1].id, before[2].id, before[0].id]
    assert await followed(organization) == repaired


async def test_customer_meters_from_before_are_noted_by_the_migration(
    fresh_database: BaseDBAsyncClient, organization: Organization
) -> None:
    await meter_of(organization.id, AggregationFunction.COUNT)
    await use(organization, range(230))
    await use(organization, range(3))
    expected = await in_order(organization)
    # As the version before stored them.
    await fresh_database.execute_script(
        """
        DELETE FROM usage_change;
        ALTER TABLE usage_change DROP CONSTRAINT usage_change_pkey, ADD PRIMARY KEY (first_id);
        UPDATE event_log SET changes = 0;
        """
    )
    migration: Any = import_module("models.migrations.0049_usage_changes").Migration
    (script,) = (one for one in migration.operations if hasattr(one, "sql"))
    async with in_transaction() as connection:
        for statement in script.sql:
            await connection.execute_script(statement)

    assert await followed(organization) == expected
    log = await EventLog.get(organization_id=organization.id)
    assert (log.changes, log.current_changes) == (230, 230)

"""The indexes of months that are over are packed, while everything else goes on."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection

from config import clock
from config.settings import Settings
from metering import packing
from metering.ingest.storing import ReceiptStatus
from metering.months import make_months, month_of
from metering.packing import Packed, PackingWaitsError, indexes_to_pack, pack_next
from metering.usage.ranges import usage
from metering.usage.windows import Window
from models import ArchivedMonth, Meter, Organization, PackedIndex
from tests.ingesting import definition_of, drain, meter_of, send
from tests.postgres import connection_to
from waiting.outages import is_outage
from workers import pack_months as of_worker
from workers.daily import Daily
from workers.pack_months import pack_months

MARCH = datetime(2021, 3, 1, tzinfo=UTC)
INDEXES = {
    "event_2021_03_organization_id_customer_id_timestamp_id_idx",
    "event_2021_03_organization_id_name_timestamp_id_idx",
    "event_2021_03_organization_id_timestamp_id_idx",
    "event_2021_03_pkey",
}
"""The index of batches is too small to be packed."""

_SIZES = """
SELECT relname AS name, pg_relation_size(oid) AS bytes FROM pg_class
WHERE relkind = 'i' AND relname LIKE $1
"""
_INVALID = "SELECT indexrelid::regclass::text AS name FROM pg_index WHERE NOT indisvalid"


async def store(
    database: BaseDBAsyncClient, organization: Organization, month: datetime = MARCH
) -> None:
    """Stores events of a month, in no order, so that its indexes are loose."""
    await make_months([month])
    await database.execute_query(
        """
        INSERT INTO event (
            organization_id, id, batch_id, customer_id, name, timestamp, metadata
        )
        SELECT $1, gen_random_uuid(), 1, gen_random_uuid(), 'call',
               $2::timestamptz + random() * interval '1 day', '{}'
        FROM generate_series(1, 30000)
        """,
        [organization.id, month],
    )


@pytest.fixture
async def march(fresh_database: BaseDBAsyncClient, organization: Organization) -> BaseDBAsyncClient:
    """The database, with events of a month that is over."""
    await store(fresh_database, organization)
    return fresh_database


async def pack_all() -> list[Packed]:
    """Packs until nothing is left."""
    done = []
    while (packed := await pack_next()) is not None:
        done.append(packed)
    return done


async def sizes(database: BaseDBAsyncClient, pattern: str) -> dict[str, int]:
    """The bytes of indexes by their names."""
    rows = await database.execute_query_dict(_SIZES, [pattern])
    return {row["name"]: row["bytes"] for row in rows}


async def invalid(database: BaseDBAsyncClient) -> list[str]:
    return [row["name"] for row in await database.execute_query_dict(_INVALID)]


async def total(meter: Meter) -> Decimal:
    """What a meter counted in the month."""
    window = Window(MARCH, MARCH + timedelta(days=31))
    found = await usage(get_connection("default"), await definition_of(meter), [window])
    assert found.total.quantity is not None
    return found.total.quantity


async def until_it_waits(database: BaseDBAsyncClient) -> None:
    """Waits until an index is being built that cannot be finished."""
    while not await invalid(database):  # noqa: ASYNC110  # an index has no event
        await asyncio.sleep(0.02)


async def test_only_months_that_are_over_become_smaller_and_only_once(
    march: BaseDBAsyncClient, organization: Organization
) -> None:
    await store(march, organization, month_of(clock.now()))
    before = await sizes(march, "event_2%")
    packed = await pack_all()
    after = await sizes(march, "event_2%")
    assert {index.index for index in packed} == INDEXES
    for index in packed:
        assert (index.bytes_before, index.bytes) == (before[index.index], after[index.index])
        assert index.bytes < 0.8 * index.bytes_before
    untouched = before.keys() - INDEXES
    assert {name: after[name] for name in untouched} == {name: before[name] for name in untouched}
    assert await pack_all() == []
    assert await invalid(march) == []


async def test_an_index_that_grows_is_packed_again_after_a_week(
    march: BaseDBAsyncClient, organization: Organization
) -> None:
    await pack_all()
    await store(march, organization)
    assert await pack_all() == []
    row = await PackedIndex.get(name="event_2021_03_pkey")
    await PackedIndex.filter(name=row.name).update(packed_at=row.packed_at - timedelta(days=8))
    [packed] = await pack_all()
    assert (packed.index, packed.bytes > row.bytes) == ("event_2021_03_pkey", True)
    await PackedIndex.filter(name=row.name).update(packed_at=row.packed_at - timedelta(days=8))
    assert await pack_all() == []


async def terminate(database: BaseDBAsyncClient, _packing: asyncio.Task[Any]) -> None:
    """Ends the backend, as a failure of PostgreSQL does."""
    await database.execute_query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND query LIKE 'REINDEX%'"
    )


async def cancel(_database: BaseDBAsyncClient, packing_: asyncio.Task[Any]) -> None:
    """Stops the worker."""
    packing_.cancel()


@pytest.mark.parametrize("kill", [terminate, cancel])
async def test_events_go_on_meanwhile_and_a_killed_run_leaves_nothing_for_long(
    march: BaseDBAsyncClient,
    organization: Organization,
    settings: Settings,
    kill: Callable[[BaseDBAsyncClient, asyncio.Task[Any]], Any],
) -> None:
    meter = await meter_of(organization.id)
    async with connection_to(settings) as other:
        await other.execute("BEGIN; UPDATE event_2021_03 SET name = name WHERE false")
        task = asyncio.create_task(pack_next())
        async with asyncio.timeout(60):
            await until_it_waits(march)
        assert await pack_next() is None  # only one packs at a time
        async with asyncio.timeout(60):
            [receipt] = await send(organization.id, {"timestamp": MARCH, "metadata": {"tokens": 7}})
            await drain(organization.id)
        assert receipt.status is ReceiptStatus.INSERTED
        assert await total(meter) == 7
        await kill(march, task)
        [error] = await asyncio.gather(task, return_exceptions=True)
        assert isinstance(error, BaseException)
        assert isinstance(error, asyncio.CancelledError) or is_outage(error)
        assert len(await invalid(march)) == 1
        await other.execute("COMMIT")
    assert {index.index for index in await pack_all()} == INDEXES
    assert await invalid(march) == []


async def test_a_transaction_that_does_not_end_delays_it(
    march: BaseDBAsyncClient, settings: Settings
) -> None:
    async with connection_to(settings) as other:
        await other.execute("BEGIN; UPDATE event_2021_03 SET name = name WHERE false")
        for _ in range(2):  # the second time, it cannot drop what is left
            with pytest.raises(PackingWaitsError, match="A transaction takes long"):
                await pack_next(patience_seconds=0.1)
        await other.execute("COMMIT")
    assert len(await pack_all()) == len(INDEXES)
    assert await invalid(march) == []


async def test_what_does_not_fit_on_the_disk_is_dropped_at_once(
    march: BaseDBAsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        for name, value in (("temp_file_limit", "0"), ("maintenance_work_mem", "1024")):
            patch.setitem(packing.SETTINGS, name, value)
        with pytest.raises(asyncpg.ConfigurationLimitExceededError):
            await pack_next()
    assert await invalid(march) == []
    assert await PackedIndex.all().count() == 0


async def test_a_month_that_is_being_archived_is_left_alone(
    march: BaseDBAsyncClient, tmp_path: Path
) -> None:
    await ArchivedMonth.create(
        name="2021-03",
        id="00000000-0000-0000-0000-000000000001",
        partition="event_2021_03",
        ends_at=MARCH + timedelta(days=31),
        directory=str(tmp_path),
        began_at=MARCH,
    )
    assert await pack_all() == []
    await ArchivedMonth.all().delete()
    assert len(await pack_all()) == len(INDEXES)


async def test_nothing_is_packed_on_a_cluster(march: BaseDBAsyncClient) -> None:
    assert {index["name"] for index in await indexes_to_pack(march)} == INDEXES
    # As if plpgsql, which every database has, were Citus.
    await march.execute_query("UPDATE pg_extension SET extname = 'citus' WHERE extname = 'plpgsql'")
    assert await indexes_to_pack(march) == []
    assert await pack_next() is None


async def test_a_worker_packs_once_a_day(
    march: BaseDBAsyncClient, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = Daily(pack_months)
    with capture_logs() as logs:
        await worker.run()
        await store(march, organization, MARCH + timedelta(days=31))
        await worker.run()
        with clock.at(clock.now() + timedelta(hours=25)):
            await worker.run()
    packed = [log["index"] for log in logs if log["event"] == "index packed"]
    assert [name[:13] for name in packed] == ["event_2021_03"] * 4 + ["event_2021_04"] * 4


async def test_a_worker_that_has_to_wait_tries_again_in_an_hour(
    march: BaseDBAsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def waits() -> Packed | None:
        raise PackingWaitsError("A transaction takes long.")

    worker, start = Daily(pack_months), clock.now()
    with monkeypatch.context() as patch, capture_logs() as logs, clock.at(start):
        patch.setattr(of_worker, "pack_next", waits)
        await worker.run()
        assert [log["reason"] for log in logs] == ["A transaction takes long."]
    for minutes, left in ((59, INDEXES), (61, set())):
        with clock.at(start + timedelta(minutes=minutes)):
            await worker.run()
        assert {index["name"] for index in await indexes_to_pack(march)} == left

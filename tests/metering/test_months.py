"""Events of any time are stored in the partition of their month, which is made when needed."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

import pytest
from arq.connections import ArqRedis
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection
from tortoise.transactions import in_transaction

from config import clock
from config.settings import Settings
from metering.batches import Batches
from metering.counting.event_names import _NOTE
from metering.ingest.storing import ReceiptStatus
from metering.usage.ranges import usage
from metering.usage.windows import Window
from models import Event, EventBatch, EventKey, Organization
from tests.ingesting import NOON, definition_of, drain, meter_of, send
from tests.postgres import connection_to
from tests.webhooks.world import nothing_to_deliver
from workers.delete_expired import delete_expired
from workers.outages import database_outage
from workers.process_events import Counting
from workers.settings import schedule

INSERTED, DUPLICATE = ReceiptStatus.INSERTED, ReceiptStatus.DUPLICATE
CONFLICT = ReceiptStatus.CONFLICT


async def partitions(database: BaseDBAsyncClient, organization_id: UUID) -> dict[str, int]:
    """How many of the organization's events each partition has."""
    rows = await database.execute_query_dict(
        "SELECT tableoid::regclass::text AS name, count(*) AS events FROM event"
        " WHERE organization_id = $1 GROUP BY 1 ORDER BY 1",
        [organization_id],
    )
    return {row["name"]: row["events"] for row in rows}


async def test_events_lie_in_the_partition_of_their_month(
    database: BaseDBAsyncClient, organization: Organization
) -> None:
    instants = (
        "0001-01-01T00:00:00Z",
        "1970-01-01T00:00:00Z",
        "2019-12-31T23:59:59.999999Z",
        "2020-01-01T00:00:00Z",
        "2024-01-31T23:30:00-01:00",  # February in UTC
        "2024-02-29T12:00:00Z",
    )
    receipts = await send(organization.id, *({"timestamp": instant} for instant in instants))
    assert {receipt.status for receipt in receipts} == {INSERTED}
    assert await partitions(database, organization.id) == {
        "event_2020_01": 1,
        "event_2024_02": 2,
        "event_before": 3,
    }


async def test_usage_is_exact_across_months_and_their_edges(organization: Organization) -> None:
    meter = await meter_of(organization.id)
    first, last = datetime(2023, 12, 31, 23, 59, 59, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC)
    moment = timedelta(microseconds=1)
    at = [first - moment, first, datetime(2024, 2, 1, tzinfo=UTC), last - moment, last]
    for number, instant in enumerate(at):
        await send(organization.id, {"timestamp": instant, "metadata": {"tokens": 10**number}})
    await drain(organization.id)
    found = await usage(
        get_connection("default"),
        await definition_of(meter),
        [Window(first, at[2]), Window(at[2], last)],
    )
    assert [point.quantity for point in found.points] == [10, 1_100]
    assert found.total.quantity == 1_110


async def test_many_that_need_the_same_months_at_once(
    fresh_database: BaseDBAsyncClient, organization: Organization
) -> None:
    months = [datetime(2021, month, 1, tzinfo=UTC) for month in range(1, 7)]
    answers = await asyncio.gather(
        *(
            send(organization.id, *({"timestamp": month} for month in months[turn % 3 :]))
            for turn in range(9)
        )
    )
    assert {receipt.status for receipts in answers for receipt in receipts} == {INSERTED}
    stored = await partitions(fresh_database, organization.id)
    assert stored == {
        f"event_2021_{month:02}": 9 if month > 2 else 3 * month for month in range(1, 7)
    }


async def test_a_month_is_made_while_others_read_and_store(
    fresh_database: BaseDBAsyncClient, organization: Organization, settings: Settings
) -> None:
    await send(organization.id, {})
    async with asyncio.timeout(60), connection_to(settings) as other, other.transaction():
        await other.fetch("SELECT * FROM event")
        await other.execute("UPDATE event SET name = name")
        [receipt] = await send(organization.id, {"timestamp": NOON.replace(year=2022)})
    assert receipt.status is INSERTED
    assert set(await partitions(fresh_database, organization.id)) == {
        "event_2022_03",
        "event_2026_03",
    }


async def test_external_ids_are_unique_across_months(organization: Organization) -> None:
    [first] = await send(organization.id, {"externalId": "a"})
    later = {"externalId": "a", "timestamp": NOON + timedelta(days=90)}
    [conflict], [duplicate] = [
        await send(organization.id, event) for event in (later, {"externalId": "a"})
    ]
    assert (duplicate.status, duplicate.event_id) == (DUPLICATE, first.event_id)
    assert (conflict.status, conflict.event_id) == (CONFLICT, first.event_id)
    assert conflict.error is not None
    assert conflict.error.message.endswith("it differs in timestamp.")
    assert await Event.filter(organization_id=organization.id).count() == 1


async def test_external_ids_of_any_length_are_told_apart(organization: Organization) -> None:
    names = [
        *("x" * length for length in range(1, 257)),
        *(f"{'x' * 30}{number}" for number in range(10)),
        *("é" * length for length in range(1, 40)),
        "x" * 255 + "y",
    ]
    events = [{"externalId": name} for name in names]
    stored = await send(organization.id, *events)
    assert {receipt.status for receipt in stored} == {INSERTED}
    again = await send(organization.id, *events)
    assert {receipt.status for receipt in again} == {DUPLICATE}
    assert [receipt.event_id for receipt in again] == [receipt.event_id for receipt in stored]


async def test_a_batch_is_looked_for_in_its_months_only(
    fresh_database: BaseDBAsyncClient, organization: Organization
) -> None:
    for year in range(2020, 2027):
        await send(organization.id, {"timestamp": NOON.replace(year=year)})
    batch = await EventBatch.get(organization_id=organization.id, first_at=NOON)
    batches = Batches.of([vars(batch)])
    values = [organization.id, batches.ids, 3, batches.months]
    for mode in ("force_generic_plan", "force_custom_plan"):
        async with in_transaction() as connection:
            await connection.execute_script(f"SET LOCAL plan_cache_mode = {mode}")
            rows = await connection.execute_query_dict(f"EXPLAIN (ANALYZE) {_NOTE}", values)
        read = [
            row["QUERY PLAN"]
            for row in rows
            if "on event_2" in row["QUERY PLAN"] and "never executed" not in row["QUERY PLAN"]
        ]
        assert read
        assert all("event_2026_03" in line for line in read), read


async def test_the_worker_makes_the_next_month_a_week_ahead(
    fresh_database: BaseDBAsyncClient, redis: ArqRedis
) -> None:
    outage = database_outage()
    recurring = schedule(Counting(redis), nothing_to_deliver(redis), outage, None)
    for day, made in ((24, False), (25, True)):
        with clock.at(datetime(2031, 5, day, tzinfo=UTC)):
            for each in recurring:
                await each.run()
        rows = await fresh_database.execute_query_dict(
            "SELECT to_regclass('event_2031_05') IS NOT NULL AS this,"
            " to_regclass('event_2031_06') IS NOT NULL AS next"
        )
        assert rows == [{"this": True, "next": made}]


@pytest.mark.parametrize("days", [None, "7"])
async def test_external_ids_expire_only_if_a_setting_says_so(
    fresh_database: BaseDBAsyncClient,
    organization: Organization,
    setting: Callable[[str, str | None], None],
    days: str | None,
) -> None:
    if days is not None:
        setting("METERGRAPH_EXTERNAL_ID_DAYS", days)
    # The timestamp is not what counts: an event may arrive years late, and be sent again.
    late = {"timestamp": "2020-01-01T00:00:00Z"}
    ingest = partial(send, organization.id)
    await ingest({**late, "externalId": "new"})
    await ingest({"externalId": "old"})
    stored = clock.now() - timedelta(days=8)
    old = UUID(f"{int(stored.timestamp() * 1000):012x}" + "0" * 20)
    for table, column in (("event", "id"), ("event_key", "event_id")):
        await fresh_database.execute_query(
            f"UPDATE {table} SET {column} = $2 WHERE timestamp = $1", [NOON, old]
        )

    await delete_expired()

    kept = [bytes(key.key) for key in await EventKey.all().order_by("key")]
    assert kept == ([b"new", b"old"] if days is None else [b"new"])
    [again] = await ingest({"externalId": "old", "metadata": {"another": 1}})
    assert again.status is (CONFLICT if days is None else INSERTED)
    [again] = await ingest({**late, "externalId": "new"})
    assert again.status is DUPLICATE

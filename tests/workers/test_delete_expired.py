"""The worker deletes what has expired, a bounded number of rows at a time, and nothing else."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest
from arq.connections import ArqRedis
from tortoise.backends.base.client import BaseDBAsyncClient

from config import clock
from config.settings import Settings
from metergraph.database.database_url import credentials
from models import BrowserSession, CustomerSession, Organization, UsageRange
from models.identifiers import new_id
from tests.webhooks.world import nothing_to_deliver
from workers import delete_expired
from workers.outages import database_outage
from workers.process_events import Counting
from workers.settings import schedule

DAY = timedelta(days=1)


async def session(organization: Organization, expires_in: timedelta) -> None:
    await CustomerSession.create(
        organization_id=organization.id,
        customer_id=new_id(),
        secret_hash=new_id().bytes,
        expires_at=clock.now() + expires_in,
    )


async def key(
    database: BaseDBAsyncClient, organization: Organization, name: str, age: timedelta
) -> None:
    await database.execute_query(
        """
        INSERT INTO idempotency_key
            (organization_id, key, mutation, input_hash, result, created_at)
        VALUES ($1, $2, 'meterCreate', '', 'id', now() - $3::interval)
        """,
        [organization.id, name, age],
    )


async def keys(database: BaseDBAsyncClient) -> list[str]:
    rows = await database.execute_query_dict("SELECT key FROM idempotency_key ORDER BY key")
    return [row["key"] for row in rows]


async def test_expired_sessions_are_deleted(
    fresh_database: BaseDBAsyncClient, organization: Organization
) -> None:
    for seconds in (-86_400, -1, 60, 86_400):
        await session(organization, timedelta(seconds=seconds))
        await BrowserSession.create(
            organization_id=organization.id,
            token_id=new_id(),
            secret_hash=new_id().bytes,
            expires_at=clock.now() + timedelta(seconds=seconds),
        )
    await delete_expired.delete_expired()
    browsers = await BrowserSession.all().order_by("expires_at")
    assert [one.expires_at > clock.now() for one in browsers] == [True, True]
    left = await CustomerSession.all().order_by("expires_at")
    assert [one.expires_at > clock.now() for one in left] == [True, True]


async def test_kept_ranges_are_deleted_after_two_days(
    fresh_database: BaseDBAsyncClient, organization: Organization
) -> None:
    for hours in (1, 47, 49, 500):
        await UsageRange.create(
            organization_id=organization.id,
            meter_id=new_id(),
            range_start=clock.now(),
            range_end=clock.now(),
            usage_version=0,
            position=hours,
            events=1,
            kept_at=clock.now() - timedelta(hours=hours),
            customers=1,
            customer_ids=[new_id()],
            count=[1],
        )
    await delete_expired.delete_expired()
    assert sorted(row.position for row in await UsageRange.all()) == [1, 47]


async def test_keys_are_kept_for_thirty_days(
    fresh_database: BaseDBAsyncClient,
    organization: Organization,
    other_organization: Organization,
) -> None:
    await key(fresh_database, organization, "new", timedelta())
    await key(fresh_database, organization, "old", 30 * DAY - timedelta(minutes=1))
    await key(fresh_database, organization, "past", 30 * DAY + timedelta(minutes=1))
    await key(fresh_database, other_organization, "new", 31 * DAY)
    await delete_expired.delete_expired()
    assert await keys(fresh_database) == ["new", "old"]


async def test_a_run_is_bounded_and_the_next_one_goes_on(
    fresh_database: BaseDBAsyncClient,
    organization: Organization,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(delete_expired, "_ROWS", 2)
    monkeypatch.setattr(delete_expired, "_TIMES", 3)
    for number in range(7):
        await session(organization, -DAY)
        await key(fresh_database, organization, str(number), (40 - number) * DAY)
    await delete_expired.delete_expired()
    assert await CustomerSession.all().count() == 1
    assert await keys(fresh_database) == ["6"]  # the oldest go first
    await delete_expired.delete_expired()
    assert await CustomerSession.all().count() == 0
    assert await keys(fresh_database) == []


async def test_rows_that_another_worker_deletes_are_skipped(
    fresh_database: BaseDBAsyncClient, organization: Organization, settings: Settings
) -> None:
    await session(organization, -DAY)
    rival = await asyncpg.connect(**credentials(str(settings.database_url)))
    try:
        await rival.execute("BEGIN; SELECT FROM customer_session FOR UPDATE")
        async with asyncio.timeout(60):
            await delete_expired.delete_expired()
        assert await CustomerSession.all().count() == 1
    finally:
        await rival.close()


async def test_deleting_is_on_the_workers_schedule(
    fresh_database: BaseDBAsyncClient, organization: Organization, redis: ArqRedis
) -> None:
    await session(organization, -DAY)
    outage = database_outage()
    for recurring in schedule(Counting(redis), nothing_to_deliver(redis), outage, None):
        await recurring.run()
    assert await CustomerSession.all().count() == 0

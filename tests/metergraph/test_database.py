"""Opening and migrating the database, and connections that come back to the pool."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import asyncpg
import pytest
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.exceptions import OperationalError
from tortoise.transactions import in_transaction

from config.settings import Settings
from metergraph.database.migrations import UnsuitableDatabaseError, is_migrated, lacking
from metergraph.database.opening import migrate, opened_database, pending_migrations
from models import Organization
from tests.postgres import connection_to
from waiting.outages import OutageError


@asynccontextmanager
async def one_connection(settings: Settings) -> AsyncIterator[Any]:
    """The client of a pool with one connection."""
    small = settings.model_copy(update={"database_pool_size": 1})
    async with opened_database(small, role="tests") as context:
        yield context.db()


async def backend(client: BaseDBAsyncClient) -> int:
    pid: int = (await client.execute_query_dict("SELECT pg_backend_pid() AS pid"))[0]["pid"]
    return pid


async def terminate(settings: Settings, pid: int) -> None:
    async with connection_to(settings) as connection:
        assert await connection.fetchval("SELECT pg_terminate_backend($1, 60_000)", pid)


async def test_migrating_again_changes_nothing(
    settings: Settings, fresh_database: BaseDBAsyncClient
) -> None:
    assert await pending_migrations() == []
    assert await migrate(settings) == []


async def test_simultaneous_migrations_migrate_once(
    settings: Settings, fresh_database: BaseDBAsyncClient
) -> None:
    await fresh_database.execute_script("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    assert len(await pending_migrations()) > 0

    applied = await asyncio.gather(*(migrate(settings) for _ in range(3)))

    assert sorted(map(len, applied))[:2] == [0, 0]
    assert await pending_migrations() == []
    assert await Organization.all().count() == 0


async def test_a_database_of_a_later_version_is_not_touched(
    settings: Settings, fresh_database: BaseDBAsyncClient, fresh_database_url: str
) -> None:
    await fresh_database.execute_query(
        "INSERT INTO tortoise_migrations (app, name, applied_at) VALUES ('models', $1, now())",
        ["9999_from_the_future"],
    )
    with pytest.raises(UnsuitableDatabaseError, match=r"later version .* 9999_from"):
        await migrate(settings)
    with pytest.raises(UnsuitableDatabaseError, match="METERGRAPH_DATA_DIR"):
        await is_migrated(fresh_database_url)
    # Beside the new version's processes the old ones' go on.
    assert await pending_migrations() == []


async def test_an_old_postgresql_is_refused_with_a_sentence() -> None:
    async def fetch(_query: str) -> list[dict[str, Any]]:
        return [{"postgresql": 14, "migrated": False}]

    with pytest.raises(UnsuitableDatabaseError, match=r"PostgreSQL 14; .* needs 15 or later"):
        await lacking(fetch)


async def test_numbers_keep_every_digit(database: BaseDBAsyncClient) -> None:
    rows = await database.execute_query_dict(
        "SELECT $1::numeric AS number, $2::text::jsonb AS document",
        [Decimal("12345678901234567890.123456789012345678"), '{"a": 0.10000000000000000001}'],
    )
    assert rows[0]["number"] == Decimal("12345678901234567890.123456789012345678")
    assert rows[0]["document"] == '{"a": 0.10000000000000000001}'


async def test_a_transaction_that_cannot_begin_gives_its_connection_back(
    settings: Settings,
) -> None:
    async with one_connection(settings) as client:
        await terminate(settings, await backend(client))

        for _ in range(3):
            try:
                async with in_transaction() as connection:
                    await connection.execute_query("SELECT 1")
            except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
                continue  # the first uses after the server has hung up

        async with asyncio.timeout(60), in_transaction() as connection:
            assert await connection.execute_query_dict("SELECT 1 AS one") == [{"one": 1}]


async def test_a_transaction_cancelled_while_it_begins_gives_its_connection_back(
    settings: Settings,
) -> None:
    async with one_connection(settings) as client:
        await client.execute_query("SELECT 1")

        async def begin() -> None:
            async with in_transaction():
                pass

        # However many steps it had taken when it was cancelled.
        for steps in range(12):
            task = asyncio.create_task(begin())
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        async with asyncio.timeout(60), in_transaction() as connection:
            assert await connection.execute_query_dict("SELECT 1 AS one") == [{"one": 1}]


async def test_a_statement_that_runs_away_is_cut_off(settings: Settings) -> None:
    async with opened_database(settings, role="tests", statement_timeout_seconds=0.05) as context:
        with pytest.raises(asyncpg.QueryCanceledError):
            await context.db().execute_query("SELECT pg_sleep(10)")


async def test_a_transaction_left_open_is_rolled_back_and_its_settings_with_it(
    settings: Settings,
) -> None:
    async with one_connection(settings) as client:
        async with client.acquire_connection() as connection:
            await connection.execute("BEGIN; CREATE TABLE left_open (); SET LOCAL work_mem = '1MB'")
            pid = connection.get_server_pid()
        assert await backend(client) == pid
        with pytest.raises(OperationalError, match="does not exist"):
            await client.execute_query_dict("SELECT * FROM left_open")
        rows = await client.execute_query_dict("SELECT current_setting('work_mem') AS memory")
        assert rows[0]["memory"] != "1MB"


async def test_giving_a_connection_back_sends_no_statement(settings: Settings) -> None:
    async with one_connection(settings) as client:
        async with in_transaction() as connection:
            pid = await backend(connection)
        async with connection_to(settings) as observer:
            query = await observer.fetchval(
                "SELECT query FROM pg_stat_activity WHERE pid = $1", pid
            )
        assert query == "COMMIT;"
        assert await backend(client) == pid


async def test_a_caller_waits_for_a_free_connection_for_seconds_only(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with one_connection(settings) as client:
        async with client.acquire_connection():
            monkeypatch.setattr("metergraph.database.asyncpg_client._FREE_SECONDS", 0.05)
            with pytest.raises(OutageError, match=r"no connection .* was free within 0.05 seconds"):
                await client.execute_query("SELECT 1")
            with pytest.raises(OutageError):
                async with in_transaction():
                    pass
        monkeypatch.undo()
        assert await backend(client) > 0

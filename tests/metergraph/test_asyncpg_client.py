"""What is left of a connection's use when the next user gets it."""

import asyncpg
import pytest
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.exceptions import OperationalError
from tortoise.transactions import in_transaction

from config.settings import Settings
from metergraph.database.opening import opened_database
from waiting.outages import OutageError


async def backend(client: BaseDBAsyncClient) -> int:
    pid: int = (await client.execute_query_dict("SELECT pg_backend_pid() AS pid"))[0]["pid"]
    return pid


async def test_a_transaction_left_open_is_rolled_back_and_its_settings_with_it(
    settings: Settings,
) -> None:
    small = settings.model_copy(update={"database_pool_size": 1})
    async with opened_database(small, role="tests") as context:
        client = context.db()
        async with client.acquire_connection() as connection:
            await connection.execute("BEGIN; CREATE TABLE left_open (); SET LOCAL work_mem = '1MB'")
            pid = connection.get_server_pid()
        assert await backend(client) == pid
        with pytest.raises(OperationalError, match="does not exist"):
            await client.execute_query_dict("SELECT * FROM left_open")
        rows = await client.execute_query_dict("SELECT current_setting('work_mem') AS memory")
        assert rows[0]["memory"] != "1MB"


async def test_giving_a_connection_back_asks_the_server_nothing(settings: Settings) -> None:
    small = settings.model_copy(update={"database_pool_size": 1})
    async with opened_database(small, role="tests") as context:
        client = context.db()
        async with in_transaction() as connection:
            pid = await backend(connection)
        observer = await asyncpg.connect(settings.database_url)
        try:
            query = await observer.fetchval(
                "SELECT query FROM pg_stat_activity WHERE pid = $1", pid
            )
        finally:
            await observer.close()
        assert query == "COMMIT;"
        assert await backend(client) == pid


async def test_waiting_for_a_free_connection_has_an_end(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = settings.model_copy(update={"database_pool_size": 1})
    async with opened_database(small, role="tests") as context:
        client = context.db()
        async with client.acquire_connection():
            monkeypatch.setattr("metergraph.database.asyncpg_client._FREE_SECONDS", 0.05)
            with pytest.raises(OutageError, match=r"no connection .* was free within 0.05 seconds"):
                await client.execute_query("SELECT 1")
            with pytest.raises(OutageError):
                async with client._in_transaction():
                    pass
        monkeypatch.undo()
        assert await backend(client) > 0

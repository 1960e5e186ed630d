"""A worker that starts while PostgreSQL restarts, or while others hold what it needs, waits."""

import asyncio

import asyncpg
import pytest
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.transactions import in_transaction

from config.settings import Settings
from metergraph.commands.worker import wait_for_database
from metergraph.database.opening import pending_migrations
from metering.live import timelines
from metering.live.timelines import place_of_database
from models import LogTimeline
from tests.postgres import connection_to
from waiting.patience import Patience


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.CannotConnectNowError("the database system is starting up"),
        asyncpg.InvalidCatalogNameError("there is no such database"),
        asyncpg.InternalClientError("the connection was lost while it was made"),
        ConnectionRefusedError(),
        TimeoutError(),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_an_outage_is_waited_for(
    database: BaseDBAsyncClient, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    failures = [error, error]

    async def fails_first() -> list[str]:
        if failures:
            raise failures.pop()
        return await pending_migrations()

    monkeypatch.setattr("metergraph.commands.worker.pending_migrations", fails_first)
    await wait_for_database(Patience())
    assert failures == []


async def test_a_lock_that_another_worker_holds_is_waited_for(
    fresh_database: BaseDBAsyncClient, settings: Settings
) -> None:
    """It was stopped, say, between two of its statements."""
    await LogTimeline.all().update(place="another cluster")
    async with connection_to(settings) as other:
        transaction = other.transaction()
        await transaction.start()
        await other.execute("SELECT pg_advisory_xact_lock($1)", timelines._LOCK)  # noqa: SLF001
        waiting = asyncio.create_task(wait_for_database(Patience(first_seconds=0.1)))
        done, _ = await asyncio.wait((waiting,), timeout=0.6)  # so it gave up at least once
        assert not done
        await transaction.rollback()
        await waiting
    assert await LogTimeline.all().count() == 2


async def test_what_cannot_pass_is_not_waited_for(
    database: BaseDBAsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def wrong() -> list[str]:
        raise KeyError("a mistake")

    monkeypatch.setattr("metergraph.commands.worker.pending_migrations", wrong)
    with pytest.raises(KeyError, match="a mistake"):
        await wait_for_database(Patience())


async def test_a_role_that_may_not_know_the_place_has_none(
    database: BaseDBAsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some who host PostgreSQL do not let their customers call such functions."""
    monkeypatch.setattr(timelines, "_PLACE", "SELECT pg_read_file('there is none') AS place")
    async with in_transaction() as connection:
        await connection.execute_query("SET LOCAL ROLE pg_read_all_data")
        assert await place_of_database() is None
    with pytest.raises(asyncpg.UndefinedFileError):
        await place_of_database()

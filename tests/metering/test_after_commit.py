"""What is emitted in a transaction is performed once, after its commit, or not at all."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field

import asyncpg
import pytest
from arq.connections import ArqRedis
from redis.exceptions import ConnectionError as RedisConnectionError
from structlog.testing import capture_logs
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.transactions import in_transaction

from metering.live.after_commit import emit, performing_events

performed: list[str] = []


@dataclass(frozen=True)
class Said:
    """An event that says a word, once its gate is open."""

    word: str
    gate: asyncio.Event | None = field(default=None, compare=False)
    pause_seconds: float = 0.0

    async def perform(self, _redis: ArqRedis) -> None:
        if self.gate is not None:
            await self.gate.wait()
        performed.append(self.word)


@dataclass(frozen=True)
class Failing:
    """An event that cannot be performed."""

    error: Exception
    pause_seconds: float = 0.0

    async def perform(self, _redis: ArqRedis) -> None:
        raise self.error


@pytest.fixture(autouse=True)
def _silence() -> Iterator[None]:
    performed.clear()
    yield
    performed.clear()


async def fail_after(word: str) -> None:
    """A transaction, or a part of one, that emits and is rolled back."""
    async with in_transaction() as connection:
        emit(connection, Said(word))
        raise ZeroDivisionError


async def test_equal_events_are_performed_once_and_only_after_the_commit(
    database: BaseDBAsyncClient, redis: ArqRedis
) -> None:
    async with performing_events(redis), in_transaction() as connection:
        for word in ("first organization", "other organization", "first organization"):
            emit(connection, Said(word))
        await connection.execute_query("SELECT 1")
        assert performed == []
    assert sorted(performed) == ["first organization", "other organization"]


async def test_a_transaction_that_is_rolled_back_and_tried_again_is_performed_once(
    database: BaseDBAsyncClient, redis: ArqRedis
) -> None:
    async with performing_events(redis):
        with pytest.raises(ZeroDivisionError):
            await fail_after("lost")
        async with in_transaction() as connection:
            emit(connection, Said("lost"))
            await connection.rollback()
        async with in_transaction() as connection:
            emit(connection, Said("done"))
    assert performed == ["done"]


async def test_a_savepoint_takes_its_own_events_back_and_waits_for_the_outer_commit(
    database: BaseDBAsyncClient, redis: ArqRedis
) -> None:
    async with performing_events(redis):
        async with in_transaction() as outer:
            emit(outer, Said("outer"))
            async with in_transaction() as kept:
                emit(kept, Said("kept"))
            with pytest.raises(ZeroDivisionError):
                await fail_after("refused")
            await outer.execute_query("SELECT 1")
            assert performed == []
        async with in_transaction() as outer:
            async with in_transaction() as inner:
                emit(inner, Said("of a lost whole"))
            await outer.rollback()
    assert sorted(performed) == ["kept", "outer"]


async def test_a_commit_that_fails_performs_nothing(
    database: BaseDBAsyncClient, redis: ArqRedis
) -> None:
    async with performing_events(redis):
        transaction = in_transaction()
        connection = await transaction.__aenter__()
        await connection.execute_script(
            """
            CREATE TEMP TABLE once (n int UNIQUE DEFERRABLE INITIALLY DEFERRED) ON COMMIT DROP;
            INSERT INTO once VALUES (1), (1);
            """
        )
        emit(connection, Said("lost"))
        with pytest.raises(asyncpg.UniqueViolationError):
            await transaction.__aexit__(None, None, None)
    assert performed == []


async def test_a_request_that_is_cancelled_after_its_commit_is_performed(
    database: BaseDBAsyncClient, redis: ArqRedis
) -> None:
    gate, committed = asyncio.Event(), asyncio.Event()

    async def request() -> None:
        async with in_transaction() as connection:
            emit(connection, Said("done", gate))
        committed.set()
        await asyncio.Event().wait()

    async with performing_events(redis):
        task = asyncio.create_task(request())
        await committed.wait()
        task.cancel()
        await asyncio.wait((task,))
        gate.set()
    assert performed == ["done"]


async def test_without_a_transaction_an_event_is_performed_at_once(
    database: BaseDBAsyncClient, redis: ArqRedis
) -> None:
    async with performing_events(redis):
        emit(database, Said("done"))
    assert performed == ["done"]


async def test_what_is_emitted_while_an_equal_event_is_performed_is_performed_again(
    database: BaseDBAsyncClient, redis: ArqRedis
) -> None:
    gate = asyncio.Event()
    async with performing_events(redis):
        emit(database, Said("again", gate))
        await asyncio.sleep(0)  # it begins
        for _ in range(3):
            emit(database, Said("again"))
        gate.set()
    assert performed == ["again", "again"]


async def test_equal_events_that_follow_each_other_quickly_are_performed_together(
    database: BaseDBAsyncClient, redis: ArqRedis
) -> None:
    async with performing_events(redis):
        for number in range(5):
            emit(database, Said("wake", pause_seconds=3_600.0))
            while not performed:  # noqa: ASYNC110  # the first is performed at once
                await asyncio.sleep(0)
            await asyncio.sleep(0.001 * number)
        assert performed == ["wake"]
    assert performed == ["wake", "wake"]


async def test_an_event_does_not_wait_for_the_pause_of_another(
    database: BaseDBAsyncClient, redis: ArqRedis
) -> None:
    async with performing_events(redis):
        for organization in ("one", "another"):
            emit(database, Said(organization, pause_seconds=3_600.0))
            while organization not in performed:  # noqa: ASYNC110  # at once
                await asyncio.sleep(0)
    assert performed == ["one", "another"]


async def test_an_event_that_fails_keeps_no_other_from_being_performed(
    database: BaseDBAsyncClient, redis: ArqRedis
) -> None:
    with capture_logs() as logs:
        async with performing_events(redis), in_transaction() as connection:
            emit(connection, Failing(RedisConnectionError("away")))
            emit(connection, Failing(ZeroDivisionError("a bug")))
            emit(connection, Said("done"))
    assert performed == ["done"]
    # What Redis refuses is logged by its connection, once an outage.
    assert [log["event"] for log in logs] == ["an action after a commit failed"]

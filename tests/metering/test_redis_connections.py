"""A silent Redis costs one caller a deadline, and the log two lines."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from arq.connections import ArqRedis
from redis.exceptions import NoPermissionError, RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from structlog.testing import capture_logs

from metering.live import redis_connections
from metering.live.redis_connections import Circuit, GuardedPool, RedisAwayError
from metering.live.wakeup import open_queue
from tests.silence import Proxy, proxied


class Clock:
    """A monotonic clock that goes when it is told to."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def proxy(servers: tuple[str, str]) -> Iterator[Proxy]:
    with proxied(servers[1]) as proxy:
        yield proxy


@pytest.fixture
async def through(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ArqRedis]:
    """Redis through the proxy, with patience for a busy machine, once it has answered."""
    monkeypatch.setattr(redis_connections, "ANSWER_SECONDS", 1.0)
    client = open_queue(proxy.url)
    await client.set("metergraph:test", 1)
    yield client
    await client.aclose()


def test_after_a_miss_one_caller_a_second_tries_until_there_is_an_answer() -> None:
    clock = Clock()
    circuit = Circuit(clock)
    circuit.enter()
    circuit.missed(TimeoutError("silent"))
    with pytest.raises(RedisAwayError):
        circuit.enter()
    clock.seconds += 1.0
    circuit.enter()
    with pytest.raises(RedisAwayError):
        circuit.enter()
    circuit.answered()
    circuit.enter()
    circuit.enter()


def test_an_impatient_caller_does_not_open_the_circuit_while_others_are_answered() -> None:
    clock = Clock()
    circuit = Circuit(clock)
    circuit.answered()
    clock.seconds += 0.3
    circuit.hurried(0.5)
    circuit.enter()
    clock.seconds += 0.3
    circuit.hurried(0.5)
    with pytest.raises(RedisAwayError):
        circuit.enter()


async def test_only_the_first_caller_waits_for_a_silent_redis(
    proxy: Proxy, through: ArqRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_connections, "SECONDS_BETWEEN_TRIES", 60.0)
    with capture_logs() as lines:
        proxy.silence(also_new=True)
        with pytest.raises(RedisTimeoutError):
            await through.get("metergraph:test")
        for _ in range(100):
            with pytest.raises(RedisAwayError):
                await through.get("metergraph:test")
        proxy.heal()
        pool = through.connection_pool
        assert isinstance(pool, GuardedPool)
        circuit = pool.circuit
        circuit._next_try = 0.0  # noqa: SLF001  # as if the time had passed
        assert await through.get("metergraph:test") == b"1"
        circuit._outage._quiet_seconds = 0.0  # noqa: SLF001  # the same
        assert await through.get("metergraph:test") == b"1"
    assert [line["event"] for line in lines] == [
        "Redis cannot be used; trying again",
        "Redis is back",
    ]


async def test_connections_that_fell_silent_together_cost_one_deadline(
    proxy: Proxy, through: ArqRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A firewall has forgotten every connection of the pool; a new one works."""
    monkeypatch.setattr(redis_connections, "SECONDS_BETWEEN_TRIES", 0.0)
    await asyncio.gather(*(through.get("metergraph:test") for _ in range(10)))
    assert len(through.connection_pool._available_connections) > 1  # noqa: SLF001  # redis-py's
    proxy.silence()
    failures = 0
    for _ in range(10):
        try:
            assert await through.get("metergraph:test") == b"1"
        except RedisError:
            failures += 1
    assert failures == 1


async def test_many_callers_wait_at_the_same_time(proxy: Proxy, through: ArqRedis) -> None:
    """None of them has a connection yet, and each gives up by itself."""
    proxy.silence(also_new=True)
    async with asyncio.timeout(20):
        found = await asyncio.gather(
            *(through.get("metergraph:test") for _ in range(50)), return_exceptions=True
        )
    assert all(isinstance(error, RedisError) for error in found)


async def test_a_redis_without_writes_is_logged_and_still_used(
    redis: ArqRedis, servers: tuple[str, str]
) -> None:
    await redis.acl_setuser(
        "metergraph-test", enabled=True, nopass=True, commands=["+get", "+select"], keys=["*"]
    )
    queue = open_queue(servers[1])
    queue.connection_pool.connection_kwargs.update(username="metergraph-test", password="any")
    try:
        with capture_logs() as lines:
            for _ in range(3):
                with pytest.raises(NoPermissionError):
                    await queue.set("metergraph:test", 1)
                await queue.get("metergraph:test")
        assert [line["event"] for line in lines] == ["Redis cannot be used; trying again"]
    finally:
        await queue.aclose()
        await redis.acl_deluser("metergraph-test")

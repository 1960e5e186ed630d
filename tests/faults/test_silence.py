"""Connections of a worker that fall silent: counting and billing go on within seconds."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.faults.system import WORKERS, System, wait_until
from tests.faults.tenant import Tenant
from tests.ingesting import send
from tests.silence import Proxy, proxied

pytestmark = pytest.mark.servers

# The aim is 10; the machine may be busy. Before, it was 300.
_SECONDS = 40.0
_START_SECONDS = 120.0
_PENDING = "SELECT count(*) FROM event_batch WHERE organization_id = $1 AND position IS NULL"
_COUNTED = "SELECT count(*) FROM event_batch WHERE organization_id = $1 AND position IS NOT NULL"


@pytest.fixture
def postgres(system: System) -> Iterator[Proxy]:
    with proxied(str(system.settings.database_url)) as proxy:
        yield proxy


@pytest.fixture
def redis(system: System) -> Iterator[Proxy]:
    with proxied(str(system.settings.redis_url)) as proxy:
        yield proxy


@pytest.fixture
def distant(system: System, postgres: Proxy, redis: Proxy) -> Iterator[System]:
    """The same servers, to processes that reach them through the proxies."""
    settings = system.settings.model_copy(
        update={"database_url": postgres.url, "redis_url": redis.url}
    )
    distant = replace(system, settings=settings, processes={})
    yield distant
    for process in distant.processes.values():
        process.kill()
        process.wait()


def store(tenant: Tenant) -> None:
    """A batch that nobody wakes a worker for."""

    async def work() -> None:
        await send(tenant.organization_id, {"name": "ai_usage", "metadata": {"tokens": 1}})

    tenant.system.run(work)


def is_counted(tenant: Tenant, batches: int) -> bool:
    counted: int = tenant.system.value(_COUNTED, tenant.organization_id)
    return counted == batches


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(
            b"SELECT DISTINCT organization_id FROM event_batch",
            id="the sweep's",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            b"FROM event_log WHERE organization_id = $1 FOR UPDATE",
            id="a step's",
            marks=pytest.mark.slow,
        ),
        pytest.param(b"UPDATE event_log SET head", id="a step's, holding the log's lock"),
        pytest.param(
            b"SELECT DISTINCT organization_id FROM meter",
            id="the histories'",
            marks=pytest.mark.slow,
        ),
        pytest.param(b"corrections_due_at <= $1", id="the cycle's", marks=pytest.mark.slow),
        pytest.param(b"clock_timestamp() AS now", id="the clock's", marks=pytest.mark.slow),
    ],
)
def test_counting_survives_a_silent_connection(
    distant: System, postgres: Proxy, tenant: Tenant, said: bytes
) -> None:
    store(tenant)
    silencing = postgres.silence_when(lambda data: said in b" ".join(data.split()))
    distant.start(WORKERS[0])
    assert silencing.fell_silent(_START_SECONDS)
    store(tenant)
    wait_until(lambda: is_counted(tenant, 2), _SECONDS, "counting goes on")
    assert "Traceback" not in distant.log_of(WORKERS[0])


def test_counting_survives_every_connection_falling_silent(
    distant: System, postgres: Proxy, tenant: Tenant
) -> None:
    """As a firewall does that was restarted: it knows new connections only."""
    distant.start(WORKERS[0])
    store(tenant)
    wait_until(lambda: is_counted(tenant, 1), _START_SECONDS, "the worker counts")
    postgres.silence()
    store(tenant)
    wait_until(lambda: is_counted(tenant, 2), _SECONDS, "counting goes on")


@pytest.mark.parametrize("also_new", [pytest.param(False, marks=pytest.mark.slow), True])
def test_counting_survives_silent_connections_of_redis(
    distant: System, redis: Proxy, tenant: Tenant, also_new: bool
) -> None:
    distant.start(WORKERS[0])
    store(tenant)
    wait_until(lambda: is_counted(tenant, 1), _START_SECONDS, "the worker counts")
    redis.silence(also_new=also_new)
    store(tenant)
    wait_until(lambda: is_counted(tenant, 2), _SECONDS, "counting goes on")


def test_counting_works_without_redis(system: System, tenant: Tenant) -> None:
    alone = replace(
        system,
        settings=system.settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"}),
        processes={},
    )
    said_before = len(alone.log_of(WORKERS[0]))
    alone.start(WORKERS[0])
    try:
        store(tenant)
        tenant.drain()
        assert tenant.assert_exact() == 1
        lines = alone.log_of(WORKERS[0])[said_before:].splitlines()
        assert len([line for line in lines if "Redis cannot be used" in line]) == 1
    finally:
        for process in alone.processes.values():
            process.kill()
            process.wait()

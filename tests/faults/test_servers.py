"""Redis and PostgreSQL that go away under load: nothing acknowledged is lost, nothing doubled."""

import time

import pytest

from tests.faults.clients import IngestingClient
from tests.faults.exactness import assert_stored_once
from tests.faults.system import System, wait_until
from tests.faults.tenant import Tenant

pytestmark = pytest.mark.servers

_SECONDS = 120.0
_COUNTED = "SELECT coalesce(max(head), 0) FROM event_log WHERE organization_id = $1"


def started(tenant: Tenant, count: int = 4) -> list[IngestingClient]:
    """Clients that send; the last two send the same."""
    clients = [IngestingClient(tenant.api, max(number, 1)) for number in range(count)]
    for client in clients:
        client.start()
    wait_until(lambda: all(client.acknowledged for client in clients), _SECONDS, "all are served")
    return clients


def finished(tenant: Tenant, clients: list[IngestingClient]) -> int:
    """Ends the clients, and holds everything against what they were told."""
    for client in clients:
        client.finish(_SECONDS)
    tenant.drain()
    stored = tenant.assert_exact()
    acknowledged = {
        external_id: sent for client in clients for external_id, sent in client.acknowledged.items()
    }
    tenant.system.run(lambda: assert_stored_once(tenant.organization_id, acknowledged.values()))
    assert stored == len(acknowledged)
    return stored


def counts_on(tenant: Tenant) -> None:
    """Waits until something more is counted."""
    before = tenant.system.value(_COUNTED, tenant.organization_id)
    wait_until(
        lambda: tenant.system.value(_COUNTED, tenant.organization_id) > before,
        _SECONDS,
        "counting goes on",
    )


def test_emptying_redis_loses_nothing(whole_system: System, tenant: Tenant) -> None:
    clients = started(tenant)
    for _ in range(5):
        whole_system.empty_redis()
        time.sleep(0.3)
    counts_on(tenant)
    finished(tenant, clients)
    assert not any(client.failures for client in clients)


def test_stopping_redis_loses_nothing(whole_system: System, tenant: Tenant) -> None:
    clients = started(tenant)
    whole_system.stop_redis()
    counts_on(tenant)
    time.sleep(1)
    counts_on(tenant)
    whole_system.start_redis()
    counts_on(tenant)
    finished(tenant, clients)
    assert not any(client.failures for client in clients)


def test_restarting_postgresql_loses_nothing(whole_system: System, tenant: Tenant) -> None:
    clients = started(tenant)
    for _ in range(3):
        whole_system.restart_postgres()
        counts_on(tenant)
    finished(tenant, clients)
    assert whole_system.processes.keys() >= {"api", "worker-1"}
    assert whole_system.ended() == {}

"""Workers that are killed while they count lose nothing and count nothing twice."""

import random
import time

import pytest

from tests.faults.clients import event
from tests.faults.exactness import create_meters
from tests.faults.system import WORKERS, System, wait_until
from tests.faults.tenant import Tenant
from tests.ingesting import drain, send

pytestmark = pytest.mark.servers

_SECONDS = 120.0
_WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE application_name = 'metergraph worker' AND wait_event_type = 'Lock'
  AND backend_xid IS NOT NULL
"""


def store(tenant: Tenant, batches: int, size: int) -> None:
    """Events that nobody has counted yet."""
    chance = random.Random(batches)

    async def work() -> None:
        for batch in range(batches):
            events = [event(chance, f"{batch}-{number}") for number in range(size)]
            await send(tenant.organization_id, *events)

    tenant.system.run(work)


def is_counting(system: System) -> bool:
    """Whether a worker has changed something, and waits in the middle for a lock of ours."""
    waiting: int = system.value(_WAITING)
    return waiting > 0


def test_a_worker_killed_in_the_middle_of_a_step_loses_nothing(
    system: System, tenant: Tenant
) -> None:
    store(tenant, batches=3, size=500)
    with system.locked(
        "SELECT FROM meter WHERE organization_id = $1 ORDER BY id OFFSET 5 LIMIT 1 FOR UPDATE",
        tenant.organization_id,
    ):
        system.start(WORKERS[0])
        wait_until(lambda: is_counting(system), _SECONDS, "the worker is in the middle")
        system.kill(WORKERS[0])
    pending = "SELECT count(*) FROM event_batch WHERE organization_id = $1 AND position IS NULL"
    assert system.value(pending, tenant.organization_id) == 3

    system.start(*WORKERS[:2])

    tenant.drain()
    assert tenant.assert_exact() == 1_500


def test_a_worker_killed_in_the_middle_of_a_history_loses_nothing(
    system: System, tenant: Tenant
) -> None:
    store(tenant, batches=8, size=1_000)
    system.run(lambda: drain(tenant.organization_id))
    system.run(lambda: create_meters(tenant.organization_id))
    with system.locked(
        "SELECT FROM meter WHERE organization_id = $1 AND position = 0 LIMIT 1 FOR UPDATE",
        tenant.organization_id,
    ):
        system.start(WORKERS[0])
        wait_until(lambda: is_counting(system), _SECONDS, "the worker is in the middle")
        system.kill(WORKERS[0])

    system.start(*WORKERS[:2])

    tenant.drain()
    assert tenant.assert_exact() == 8_000


@pytest.mark.slow
def test_workers_killed_repeatedly_lose_nothing(system: System, tenant: Tenant) -> None:
    store(tenant, batches=30, size=500)
    chance = random.Random(1)
    for number in range(4):
        name = WORKERS[number % 2]
        system.start(*WORKERS[:2])
        time.sleep(chance.uniform(0.8, 1.8))
        system.kill(name)

    system.start(*WORKERS[:2])

    tenant.drain()
    assert tenant.assert_exact() == 15_000

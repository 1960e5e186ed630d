"""Alerts under kills: a worker that dies inside a transaction neither loses nor repeats one."""

import asyncio
import signal
import sys
import textwrap

import pytest

from models import AlertTrigger
from tests.billing.alerting import BALANCE, CONSUMED, make_alert
from tests.billing.world import World
from tests.outbox import happened, listen

CUSTOMERS = 20

_WORKER = textwrap.dedent(
    """
    import asyncio, os, signal, sys
    from uuid import UUID
    from config.settings import Settings
    from metergraph.database.opening import opened_database
    from metering.counting import log

    async def die(*_arguments):
        os.kill(os.getpid(), signal.SIGKILL)

    async def main(url, organization_id, when):
        if when == "before the commit":
            log.note_late_events = die  # the last that a step does
        async with opened_database(Settings(database_url=url), role="test"):
            await log.advance(organization_id)
            await die()

    asyncio.run(main(sys.argv[1], UUID(sys.argv[2]), sys.argv[3]))
    """
)


async def die_counting(world: World, database_url: str, when: str) -> None:
    """A worker process counts a step, and is killed."""
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _WORKER, database_url, str(world.id), when
    )
    assert await worker.wait() == -signal.SIGKILL


@pytest.mark.servers
async def test_a_killed_worker_neither_loses_nor_repeats_a_trigger(
    world: World, database_url: str
) -> None:
    await listen(world.id, "alert.triggered")
    meter = await world.meter()
    customers = [await world.customer(f"c{number}") for number in range(CUSTOMERS)]
    for customer in customers:
        await world.credit(customer, meter, 100, "2026-01-01")
    used = await make_alert(world, CONSUMED, 50, meter)
    low = await make_alert(world, BALANCE, 10, meter)
    for customer in customers:
        await world.send(customer, ("2026-01-10", 60))
    await die_counting(world, database_url, "before the commit")
    assert await AlertTrigger.filter(organization_id=world.id).count() == 0
    await die_counting(world, database_url, "after the commit")
    assert await AlertTrigger.filter(organization_id=world.id).count() == CUSTOMERS
    for customer in customers:
        await world.send(customer, ("2026-01-11", 30))
    await die_counting(world, database_url, "before the commit")
    await asyncio.gather(*(world.count() for _ in range(4)))
    rows = await AlertTrigger.filter(organization_id=world.id)
    assert {(row.alert_id, row.customer_id) for row in rows} == {
        (alert.id, customer.id) for alert in (used, low) for customer in customers
    }
    assert len(rows) == 2 * CUSTOMERS
    assert sorted(await happened(world.id)) == sorted(("alert.triggered", row.id) for row in rows)

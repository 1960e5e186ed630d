"""Workers simulate prices: killed, two at once, too slow, behind, and after the results expire."""

import asyncio
import contextvars
import signal
import sys
import textwrap
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from billing.simulations import running
from billing.simulations.running import Step, simulate_batch
from config import clock
from models import Customer, Meter, Organization, PriceSimulation, SimulatedCustomer
from tests.billing.simulating import results, start
from tests.billing.world import World
from waiting.outages import OutageError
from waiting.patience import Patience
from workers import simulate_prices
from workers.delete_expired import delete_expired
from workers.simulate_prices import Simulating

CUSTOMERS = 7

_WORKER = textwrap.dedent(
    """
    import asyncio, os, signal, sys
    from uuid import UUID
    from config.settings import Settings
    from metergraph.database.opening import opened_database
    from billing.simulations import running

    async def die(*_arguments, **_options):
        os.kill(os.getpid(), signal.SIGKILL)

    async def main(url, organization_id, simulation_id):
        async with opened_database(Settings(database_url=url), role="test"):
            await running.simulate_batch(organization_id, simulation_id, 6)
            running._move = die  # when the results of the second batch are written
            await running.simulate_batch(organization_id, simulation_id, 6)

    asyncio.run(main(sys.argv[1], UUID(sys.argv[2]), UUID(sys.argv[3])))
    """
)


async def used(world: World) -> tuple[Meter, list[Customer]]:
    """A meter, and customers with usage in January."""
    meter = await world.meter()
    customers = []
    for number in range(CUSTOMERS):
        customer = await world.customer(f"customer {number}")
        await world.use(customer, ("2026-01-05", number + 1))
        customers.append(customer)
    return meter, customers


def present() -> str:
    return clock.now().replace(tzinfo=None).isoformat()


def expected(customers: list[Customer]) -> dict[UUID, tuple[int, int, int]]:
    return {
        customer.id: (10 * number, 0, 10 * number)
        for number, customer in enumerate(customers, start=1)
    }


async def simulate(patience: Patience | None = None) -> None:
    await Simulating(patience or Patience()).run()


@pytest.fixture
async def world(organization: Organization, database: BaseDBAsyncClient) -> World:
    return World(organization, database)


@pytest.mark.servers
async def test_a_killed_worker_loses_nothing_and_another_goes_on(
    world: World, database_url: str
) -> None:
    meter, customers = await used(world)
    begun = await start(world, world.per_unit(meter, 10))
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _WORKER, database_url, str(world.id), str(begun.id)
    )
    assert await worker.wait() == -signal.SIGKILL
    assert await SimulatedCustomer.filter(simulation_id=begun.id).count() == 2
    await simulate()
    done = await PriceSimulation.get(id=begun.id)
    assert (done.status, int(done.total)) == ("DONE", 280)
    assert await results(done) == expected(customers)


async def test_two_workers_simulate_each_customer_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulate_prices, "LARGEST_BATCH", 3)
    meter, customers = await used(world)
    begun = [await start(world, world.per_unit(meter, 10)) for _ in range(2)]
    await asyncio.gather(*(simulate() for _ in range(3)))
    await simulate()
    for one in begun:
        done = await PriceSimulation.get(id=one.id)
        assert (done.status, int(done.total)) == ("DONE", 280)
        assert await results(done) == expected(customers)


async def test_a_worker_goes_on_if_another_one_was_faster(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    meter, customers = await used(world)
    begun = await start(world, world.per_unit(meter, 10))
    claim = running.claim
    outside = contextvars.copy_context()  # of the transaction

    async def late(connection: BaseDBAsyncClient, *ids: UUID) -> PriceSimulation | None:
        monkeypatch.setattr(running, "claim", claim)
        await connection.execute_query("SELECT 1")  # takes the snapshot
        faster = asyncio.create_task(simulate_batch(world.id, begun.id, 6), context=outside)
        assert await faster is Step.MORE
        return await claim(connection, *ids)

    monkeypatch.setattr(running, "claim", late)
    await simulate()
    done = await PriceSimulation.get(id=begun.id)
    assert (done.status, int(done.total)) == ("DONE", 280)
    assert await results(done) == expected(customers)


async def test_batches_become_smaller_if_their_statements_are_cut_off(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    simulate_ = running.simulate_batch

    async def slow(organization_id: UUID, simulation_id: UUID, periods: int) -> Step:
        sizes.append(periods)
        if periods > 20:
            raise asyncpg.QueryCanceledError("canceling statement due to statement timeout")
        return await simulate_(organization_id, simulation_id, periods)

    monkeypatch.setattr(simulate_prices, "simulate_batch", slow)
    meter, customers = await used(world)
    begun = await start(world, world.per_unit(meter, 10))
    await simulate()
    assert await results(begun) == expected(customers)
    assert sizes[:5] == [4_000, 1_000, 250, 62, 15]
    assert set(sizes[5:]) == {15}


async def test_a_run_after_one_that_took_too_long_does_less(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    simulate_ = running.simulate_batch

    async def slow(organization_id: UUID, simulation_id: UUID, periods: int) -> Step:
        sizes.append(periods)
        if len(sizes) == 1:
            raise OutageError("no answer from PostgreSQL within 10 s")
        return await simulate_(organization_id, simulation_id, periods)

    monkeypatch.setattr(simulate_prices, "simulate_batch", slow)
    meter, customers = await used(world)
    begun = await start(world, world.per_unit(meter, 10))
    simulating = Simulating(Patience())
    with pytest.raises(OutageError):
        await simulating.run()
    await simulating.run()
    assert await results(begun) == expected(customers)
    assert sizes[:2] == [4_000, 1_000]


async def test_a_simulation_that_fails_says_why_and_does_not_stop_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulate_ = running.simulate_batch
    meter, customers = await used(world)
    broken, other = [await start(world, world.per_unit(meter, 10)) for _ in range(2)]

    async def fails(organization_id: UUID, simulation_id: UUID, periods: int) -> Step:
        if simulation_id == broken.id:
            raise ValueError("a fault in the code")
        return await simulate_(organization_id, simulation_id, periods)

    monkeypatch.setattr(simulate_prices, "simulate_batch", fails)
    await simulate()
    await broken.refresh_from_db()
    assert (broken.status, broken.failure) == ("FAILED", "An internal error occurred.")
    assert broken.finished_at is not None
    assert await results(other) == expected(customers)


async def test_an_amount_that_clients_would_misread_fails(world: World) -> None:
    meter, _customers = await used(world)
    begun = await start(world, world.per_unit(meter, 10**15))
    for customer in _customers[-1:]:
        await world.use(customer, ("2026-01-06", 10**6))
    late = await start(world, world.per_unit(meter, 10**15))
    await simulate()
    rows = {row.id: row for row in await PriceSimulation.filter(organization_id=world.id)}
    assert (rows[begun.id].status, rows[late.id].status) == ("FAILED", "FAILED")
    assert "The total is beyond" in str(rows[begun.id].failure)
    assert "minor units" in str(rows[late.id].failure)
    assert not await SimulatedCustomer.filter(organization_id=world.id).exists()


async def test_a_simulation_waits_until_its_meters_have_counted(world: World) -> None:
    meter, customers = await used(world)
    begun = await start(world, world.per_unit(meter, 10), now=present())
    await behind(world, meter, 0)
    assert await simulate_batch(world.id, begun.id) is Step.NOTHING
    with (
        clock.at(begun.created_at + timedelta(days=2)),
        pytest.raises(running.SimulationError, match="have not counted"),
    ):
        await simulate_batch(world.id, begun.id)
    await behind(world, meter, None)
    await simulate()
    assert await results(begun) == expected(customers)


async def behind(world: World, meter: Meter, position: int | None) -> None:
    await world.query(
        "UPDATE meter SET position = $2 WHERE organization_id = $1 AND id = $3 RETURNING 1",
        position,
        meter.id,
    )


async def test_expired_simulations_are_deleted_with_their_results(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    meter, _customers = await used(world)
    price = world.per_unit(meter, 10)
    old, kept = [await start(world, price, now=present()) for _ in range(2)]
    await simulate()
    await expire(world, old)
    monkeypatch.setattr("workers.delete_expired._ROWS", 3)
    await delete_expired()
    left = await PriceSimulation.filter(organization_id=world.id)
    assert [row.id for row in left] == [kept.id]
    assert await SimulatedCustomer.filter(simulation_id=old.id).count() == 0
    assert await SimulatedCustomer.filter(simulation_id=kept.id).count() == CUSTOMERS


async def expire(world: World, simulation: PriceSimulation) -> None:
    await world.query(
        "UPDATE price_simulation SET expires_at = now() - interval '1 second'"
        " WHERE organization_id = $1 AND id = $2 RETURNING 1",
        simulation.id,
    )

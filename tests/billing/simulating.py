"""Simulations in tests, without a worker."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from billing.catalog.benefits import MeterCredit
from billing.catalog.prices import PriceDraft
from billing.simulations.running import LARGEST_BATCH, Step, simulate_batch
from billing.simulations.starting import SimulationDraft, start_simulation
from config import clock
from models import Customer, PriceSimulation, Product, SimulatedCustomer
from tests.billing.credits import instant
from tests.billing.world import World

NOW = "2026-06-01"


async def start(
    world: World,
    *prices: PriceDraft,
    benefits: Sequence[MeterCredit] = (),
    product: Product | None = None,
    start: str = "2026-01-01",
    end: str = "2026-04-01",
    now: str = NOW,
    **rest: Any,
) -> PriceSimulation:
    draft = SimulationDraft(
        "Dearer",
        prices,
        benefits,
        None if product is None else product.id,
        instant(start),
        instant(end),
        **rest,
    )
    with clock.at(instant(now)):
        return await start_simulation(world.id, draft)


async def finish(
    simulation: PriceSimulation, periods: int = LARGEST_BATCH, at: datetime | None = None
) -> PriceSimulation:
    """Simulates everything, in batches of so many periods."""
    with clock.at(at or instant(NOW)):
        step = Step.MORE
        while step is Step.MORE:
            step = await simulate_batch(simulation.organization_id, simulation.id, periods)
        assert step is Step.LAST
    return await PriceSimulation.get(id=simulation.id)


async def simulated(world: World, *prices: PriceDraft, **rest: Any) -> PriceSimulation:
    return await finish(await start(world, *prices, **rest))


async def results(simulation: PriceSimulation) -> dict[Any, tuple[int, int, int]]:
    """What each customer would have paid, was billed, and the difference, by customer."""
    rows = await SimulatedCustomer.filter(simulation_id=simulation.id)
    return {row.customer_id: (row.amount, row.current_amount, row.difference) for row in rows}


async def amounts_of(simulation: PriceSimulation, customer: Customer) -> tuple[int, int]:
    amount, current, _difference = (await results(simulation))[customer.id]
    return amount, current

"""Prices simulated over a month of usage, and over the same month again after events came late."""

import time
from datetime import timedelta
from decimal import Decimal

from benchmarks.history import DAYS, end_of_history, store_batch, system_with_history
from benchmarks.results import Result
from benchmarks.run import Run
from benchmarks.system import Tenant
from billing.catalog.benefits import MeterCredit
from billing.catalog.prices import FixedDraft, MeteredDraft
from billing.rating.schemes import Pricing, Tier
from billing.simulations.starting import SimulationDraft, start_simulation
from metering.counting.log import advance
from models import PriceSimulation
from waiting.patience import Patience
from workers.simulate_prices import Simulating

NAME = "simulating"
_EVENTS = 1_000_000
_CUSTOMERS = 10_000
_LATE = 1_000
_AIM_SECONDS = 10
_LAST_DAY = 28  # every month has it
_TIERS = {
    "tiers": [Tier(Decimal(100_000), Decimal("0.01")), Tier(None, Decimal("0.005"))],
}


async def measure(run: Run) -> list[Result]:
    """Of a fixed price, tiers and credit that rolls over, for every customer."""
    share = 10 if run.quick else 1
    events, customers = _EVENTS // share, _CUSTOMERS // share
    async with system_with_history(run, events, meters=1, customers=customers) as (_, tenant):
        results = [await _simulated(tenant, customers, f"{events:,} events")]
        simulation = await _started(tenant)
        await store_batch(tenant.organization.id, _LATE // share, timedelta(days=DAYS))
        while await advance(tenant.organization.id):
            pass
        case = f"{_LATE // share:,} events came since it was started"
        results.append(await _simulated(tenant, customers, case, simulation))
        return results


async def _started(tenant: Tenant) -> PriceSimulation:
    midnight = end_of_history()
    end = midnight.replace(day=min(midnight.day, _LAST_DAY))
    meter_id = tenant.meters[0].id
    draft = SimulationDraft(
        None,
        [FixedDraft("USD", 2_000), MeteredDraft("USD", meter_id, Pricing.GRADUATED, _TIERS)],
        [MeterCredit(meter_id, Decimal(10_000), rollover=True)],
        None,
        (end.replace(day=1) - timedelta(days=1)).replace(day=end.day),
        end,
    )
    return await start_simulation(tenant.organization.id, draft)


async def _simulated(
    tenant: Tenant, customers: int, case: str, simulation: PriceSimulation | None = None
) -> Result:
    simulation = simulation or await _started(tenant)
    started = time.perf_counter()
    await Simulating(Patience()).run()
    seconds = time.perf_counter() - started
    await simulation.refresh_from_db()
    assert simulation.status == "DONE", simulation.failure
    assert simulation.simulated == customers
    return Result(
        NAME,
        f"a month of {customers:,} customers, {case}",
        f"{seconds:.1f} s",
        aim=f"< {_AIM_SECONDS} s",
        met=seconds < _AIM_SECONDS,
    )

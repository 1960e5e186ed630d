"""What a customer would have paid: the lines of its invoices, cycle by cycle. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billing.periods.metered_periods import (
    MeteredPeriod,
    NextPeriod,
    PeriodUsage,
    begin,
    close,
)
from billing.periods.shares import WHOLE
from billing.rating.lines import Line, Plan, fixed_lines, metered_lines
from billing.rating.settlements import Settlement, settle
from billing.simulations.simulation import Simulation

_NOTHING = PeriodUsage(Decimal(0), position=0, is_behind=False)


def simulated_lines(
    simulation: Simulation,
    customer_id: UUID,
    usages: Mapping[UUID, Sequence[PeriodUsage]],
    meter_names: Mapping[UUID, str],
) -> list[Line]:
    """Returns the lines of all cycles, oldest first.

    Args:
        simulation: the simulation.
        customer_id: the customer, who subscribes to one at the start of the first cycle.
        usages: the usage of each cycle, by meter.
        meter_names: the names of the meters.
    """
    periods = [
        period
        for meter_id in simulation.meter_ids
        for period in _periods(simulation, customer_id, meter_id, usages[meter_id])
    ]
    prices = {price.id: price for price in simulation.prices.values()}
    metered = metered_lines(periods, prices, meter_names)
    plan = Plan(simulation.name, simulation.fixed, 1)
    lines: list[Line] = []
    for cycle in simulation.cycles:
        of_cycle = [line for line in metered if line.period == cycle]
        settlement = Settlement(None, cycle, simulation.minimum, None, 0)
        minimums, _off, _settled = settle([settlement], of_cycle)
        lines += [*fixed_lines(plan, cycle, WHOLE), *of_cycle, *minimums]
    return lines


def cuts_of_cycles(simulation: Simulation, meter_id: UUID) -> list[tuple[datetime, ...]]:
    """Returns the instants at which grants begin or end within each cycle.

    They follow from the benefits alone, so they are the same for all customers.
    """
    nothing = [_NOTHING] * len(simulation.cycles)
    periods = _periods(simulation, simulation.id, meter_id, nothing)
    return [period.cuts for period in periods]


def _periods(
    simulation: Simulation, customer_id: UUID, meter_id: UUID, usages: Sequence[PeriodUsage]
) -> list[MeteredPeriod]:
    """Returns the closed periods of a customer on a meter, with the credit that they pass on."""
    price = simulation.prices.get(meter_id)
    closed: list[MeteredPeriod] = []
    for cycle, usage in zip(simulation.cycles, usages, strict=True):
        following = NextPeriod(
            customer_id,
            meter_id,
            cycle.start,
            cycle.end,
            price_id=None if price is None else price.id,
            grants=simulation.grants.get(meter_id, ()),
        )
        opened = begin(following, closed[-1] if closed else None)
        closed.append(close(opened, cycle.end, usage))
    return closed

"""A simulation as it is stored: its prices, benefits and cycles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any
from uuid import UUID

from billing.catalog.benefits import MeterCredit
from billing.catalog.prices import PriceDraft, stored_tariff
from billing.periods.intervals import Period, Recurrence, RecurringInterval, period_at
from billing.periods.metered_periods import Grant
from billing.rating.lines import FixedPrice, MeteredPrice
from billing.rating.settlements import Minimum
from models import PriceSimulation, ProductPrice
from models.identifiers import new_id

MOST_CYCLES = 31


class SimulationStatus(StrEnum):
    """Where a simulation is in its life."""

    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"


@dataclass(frozen=True)
class Simulation:
    """What is simulated: each customer subscribes at the start of the first of some cycles.

    `prices` are the metered ones by meter, and `grants` those of the benefits by meter. With a
    `product_id`, its subscribers are simulated; else everybody who used one of the meters.
    """

    id: UUID
    organization_id: UUID
    product_id: UUID | None
    currency: str
    name: str
    position: int
    created_at: datetime
    cycles: Sequence[Period]
    fixed: Sequence[FixedPrice]
    prices: Mapping[UUID, MeteredPrice]
    grants: Mapping[UUID, tuple[Grant, ...]]
    minimum: Minimum | None

    @cached_property
    def meter_ids(self) -> list[UUID]:
        """The meters that are priced or credited, each once."""
        return list(dict.fromkeys([*self.prices, *self.grants]))

    @cached_property
    def price_ids(self) -> list[UUID]:
        """The prices in a fixed order."""
        return [*(one.id for one in self.fixed), *(one.id for one in self.prices.values())]

    @property
    def start(self) -> datetime:
        """The start of the range."""
        return self.cycles[0].start

    @property
    def end(self) -> datetime:
        """The end of the range, exclusive."""
        return self.cycles[-1].end


def whole_cycles(start: datetime, end: datetime, interval: RecurringInterval) -> list[Period]:
    """Returns the cycles from `start` on that begin before `end`; one more than the most if many.

    They are periods of a subscription that starts there.
    """
    found: list[Period] = []
    for index in range(MOST_CYCLES + 1):
        cycle = period_at(start, Recurrence(interval), index)
        if cycle.start >= end:
            break
        found.append(cycle)
    return found


def stored_prices(drafts: Sequence[PriceDraft]) -> list[dict[str, Any]]:
    """Returns the prices of a simulation as JSON."""
    return [
        {
            name: str(value) if isinstance(value, UUID) else value
            for name, value in {"id": new_id(), **draft.columns()}.items()
        }
        for draft in drafts
    ]


def stored_benefits(benefits: Sequence[MeterCredit]) -> list[dict[str, Any]]:
    """Returns the benefits of a simulation as JSON."""
    return [{"meter_id": str(one.meter_id), "parameters": one.to_json()} for one in benefits]


def price_rows(row: PriceSimulation) -> list[ProductPrice]:
    """Returns the prices of a simulation in the form of those that exist."""
    return [
        ProductPrice(
            **{
                **price,
                "id": UUID(price["id"]),
                "meter_id": UUID(price["meter_id"]) if "meter_id" in price else None,
            },
            organization_id=row.organization_id,
            product_id=row.id,
            ordinal=ordinal,
        )
        for ordinal, price in enumerate(row.prices)
    ]


def benefits_of(row: PriceSimulation) -> list[MeterCredit]:
    """Returns the benefits of a simulation."""
    return [MeterCredit.from_json(UUID(one["meter_id"]), one["parameters"]) for one in row.benefits]


def simulation_of(row: PriceSimulation) -> Simulation:
    """Loads a simulation from its row."""
    fixed: list[FixedPrice] = []
    prices: dict[UUID, MeteredPrice] = {}
    for price in price_rows(row):
        if price.meter_id is None:
            fixed.append(FixedPrice(price.id, price.amount or 0))
        else:
            prices[price.meter_id] = MeteredPrice(price.id, price.meter_id, stored_tariff(price))
    grants: dict[UUID, tuple[Grant, ...]] = {}
    for benefit in benefits_of(row):
        if benefit.meter_id is not None:
            granted = benefit.grant(new_id())
            grants[benefit.meter_id] = (*grants.get(benefit.meter_id, ()), granted)
    minimum = None
    if row.minimum_amount is not None:
        minimum = Minimum(row.minimum_amount, next(iter(prices.values())).id)
    return Simulation(
        id=row.id,
        organization_id=row.organization_id,
        product_id=row.product_id,
        currency=row.currency,
        name=row.name or "Simulated prices",
        position=row.position,
        created_at=row.created_at,
        cycles=whole_cycles(row.starts_at, row.ends_at, RecurringInterval(row.recurring_interval)),
        fixed=fixed,
        prices=prices,
        grants=grants,
        minimum=minimum,
    )

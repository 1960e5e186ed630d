"""Inputs of the mutation that simulates prices."""

from datetime import datetime
from decimal import Decimal

import strawberry

from billing.catalog.benefits import MeterCredit
from billing.periods.grants import DEFAULT_PRIORITY
from billing.simulations.simulation import MOST_CYCLES
from billing.simulations.starting import SimulationDraft
from schema.billing_enums import RecurringInterval
from schema.ids import decode_id, key_to_list
from schema.inputs.idempotency import idempotency_key
from schema.inputs.products import ProductPriceInput
from schema.scalars import BigInt


@strawberry.input(description="A benefit to simulate: units of a meter that every cycle credits.")
class SimulatedBenefitInput:
    meter_id: strawberry.ID = strawberry.field(description="The meter that counts the units.")
    units: Decimal = strawberry.field(description="The number of units, above zero.")
    rollover: bool = strawberry.field(
        default=False, description="Whether unused units carry over into the next cycle."
    )
    priority: int | None = strawberry.field(
        default=DEFAULT_PRIORITY,
        description="Units with a lower priority are used first: 0 to 1,000.",
    )
    expires_after_days: int | None = strawberry.field(
        default=None,
        description="The units last for so many days from the start of the cycle: 1 to 3,650. The "
        "meter must count or sum.",
    )
    rollover_limit: Decimal | None = strawberry.field(
        default=None,
        description="At most so many units of the benefit carry over, above zero. Only with "
        "rollover.",
    )

    def read(self) -> MeterCredit:
        """Returns the benefit, which may have problems."""
        return MeterCredit(
            decode_id(self.meter_id, "Meter"),
            self.units,
            self.rollover,
            DEFAULT_PRIORITY if self.priority is None else self.priority,
            self.expires_after_days,
            self.rollover_limit,
        )


@strawberry.input(description="Prices and benefits to simulate over the usage of a past range.")
class PriceSimulationStartInput:
    name: str | None = strawberry.field(
        default=None, description="A name for people: 1 to 256 characters."
    )
    prices: list[ProductPriceInput] = strawberry.field(
        description="The prices: 1 to 100, all in one currency, and at most one for each meter."
    )
    benefits: list[SimulatedBenefitInput] = strawberry.field(
        default_factory=list, description="The benefits: at most 100."
    )
    product_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="Simulate the subscribers of this product, and compare with what its prices "
        "billed. By default, simulate every customer with usage of one of the meters, and compare "
        "with all that they were billed.",
    )
    start: datetime = strawberry.field(
        description="The start of the range, at which every customer subscribes."
    )
    end: datetime = strawberry.field(
        description="The end of the range, exclusive: the end of a cycle, and not in the future. "
        f"At most {MOST_CYCLES} cycles."
    )
    recurring_interval: RecurringInterval = strawberry.field(
        default=RecurringInterval.MONTH,
        description="The length of a cycle. Cycles follow each other from `start`, as the periods "
        "of a subscription do.",
    )
    minimum_amount: BigInt | None = strawberry.field(
        default=None,
        description="The least that the usage of a cycle costs in all metered prices together, in "
        "minor units.",
    )
    idempotency_key: str | None = idempotency_key()

    def read(self) -> SimulationDraft:
        """Returns the simulation, which may have problems."""
        return SimulationDraft(
            name=self.name,
            prices=[price.draft() for price in self.prices],
            benefits=[benefit.read() for benefit in self.benefits],
            product_id=key_to_list(self.product_id, "Product"),
            start=self.start,
            end=self.end,
            recurring_interval=self.recurring_interval,
            minimum_amount=self.minimum_amount,
        )

"""PriceSimulation: what customers would have paid at prices that do not exist."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import strawberry

from billing.catalog.benefits import MeterCredit
from billing.simulations.simulation import (
    Simulation,
    SimulationStatus,
    benefits_of,
    price_rows,
    simulation_of,
)
from billing.simulations.stored_lines import lines_of
from models import Customer as CustomerRow
from models import PriceSimulation as PriceSimulationRow
from models import Product as ProductRow
from models import ProductPrice as ProductPriceRow
from models import SimulatedCustomer as SimulatedCustomerRow
from schema.billing_enums import RecurringInterval
from schema.connections import Listed, connection
from schema.context import Info, Scope
from schema.errors import UserError, user_errors
from schema.ids import NO_KEY, Node, encode_id
from schema.loaders.billing_lists import simulated_customers_source
from schema.loaders.lines import LineOrigin
from schema.permissions import requires
from schema.scalars import BigInt, CurrencyCode
from schema.types.customer import Customer
from schema.types.invoice_line import InvoiceLine
from schema.types.price import LazyMeter, ProductPrice, meter_of
from schema.types.product import Product


@strawberry.type(description="A benefit that is simulated: units that every cycle credits.")
class SimulatedBenefit:
    meter_key: strawberry.Private[UUID]
    units: Decimal = strawberry.field(description="The number of the meter's units.")
    rollover: bool = strawberry.field(
        description="Whether unused units carry over into the next cycle."
    )
    priority: int = strawberry.field(description="Units with a lower priority are used first.")
    expires_after_days: int | None = strawberry.field(
        description="The units last for so many days. Null if they end with the cycle, or roll "
        "over without an end."
    )
    rollover_limit: Decimal | None = strawberry.field(
        description="At most so many units carry over. Null if there is no limit."
    )

    @strawberry.field(description="The meter that counts the units.")
    async def meter(self, info: Info) -> LazyMeter:
        return await meter_of(info, self.meter_key)

    @classmethod
    def of(cls, credit: MeterCredit) -> "SimulatedBenefit":
        if credit.meter_id is None:
            raise LookupError("a simulated benefit has no meter")
        return cls(
            meter_key=credit.meter_id,
            units=credit.units,
            rollover=credit.rollover,
            priority=credit.priority,
            expires_after_days=credit.expires_after_days,
            rollover_limit=credit.rollover_limit,
        )


@strawberry.type(description="What a customer would have paid, beside what it was billed.")
class SimulatedCustomer:
    row: strawberry.Private[SimulatedCustomerRow]
    simulation: strawberry.Private[Simulation]
    prices: strawberry.Private[Mapping[UUID, ProductPriceRow]]
    amount: BigInt = strawberry.field(
        description="What the customer would have paid for the range, in minor units."
    )
    current_amount: BigInt = strawberry.field(
        description="What the customer was billed for the range, in minor units of the same "
        "currency, by invoices that were issued and not voided when the simulation started. "
        "A line whose period is partly in the range counts in proportion to time. Discounts and "
        "credit notes are subtracted."
    )
    difference: BigInt = strawberry.field(
        description="`amount` less `currentAmount`: above zero if the customer would have paid "
        "more."
    )

    @strawberry.field(description="The customer.")
    async def customer(self, info: Info) -> Customer:
        row = await info.context.loaders.existing(CustomerRow, self.row.customer_id)
        return Customer.of(row)

    @strawberry.field(
        description="The lines of the simulated invoices, oldest first. Their prices exist in the "
        "simulation only. They have no `explanation` and no `events`."
    )
    def lines(self) -> list[InvoiceLine]:
        origin = LineOrigin(self.row.customer_id, NO_KEY)
        return [
            InvoiceLine.of_estimate(line, ordinal, origin, self.prices[line.price_id])
            for ordinal, line in enumerate(lines_of(self.simulation, self.row.lines))
        ]


@strawberry.type(
    description="Prices and benefits that do not exist, applied to the usage of a past range. It "
    "is kept for 30 days; of an organization, the latest 20 are."
)
class PriceSimulation(Node):
    row: strawberry.Private[PriceSimulationRow]
    name: str | None = strawberry.field(description="A name for people. Null if none was given.")
    status: SimulationStatus = strawberry.field(description="Where it is in its life.")
    progress: float = strawberry.field(
        description="The part of the customers who are simulated: 0 to 1."
    )
    failure: str | None = strawberry.field(description="Why it failed. Null if it did not.")
    currency: CurrencyCode = strawberry.field(description="The currency of all amounts.")
    start: datetime = strawberry.field(description="The start of the range.")
    end: datetime = strawberry.field(description="The end of the range, exclusive.")
    recurring_interval: RecurringInterval = strawberry.field(description="The length of a cycle.")
    minimum_amount: BigInt | None = strawberry.field(
        description="The least that the usage of a cycle costs, in minor units. Null if there is "
        "no minimum."
    )
    position: BigInt = strawberry.field(
        description="The position of the log up to which events are included. Later events do not "
        "change the result."
    )
    created_at: datetime = strawberry.field(description="When it was started.")
    finished_at: datetime | None = strawberry.field(
        description="When it was done or failed. Null before."
    )
    expires_at: datetime = strawberry.field(description="When it is deleted.")
    total: BigInt = strawberry.field(
        description="What its customers would have paid together, in minor units."
    )
    current_total: BigInt = strawberry.field(
        description="What its customers were billed together, in minor units."
    )

    @strawberry.field(
        description="The product whose subscribers are simulated. Null if customers with usage are."
    )
    async def product(self, info: Info) -> Product | None:
        if self.row.product_id is None:
            return None
        return Product.of(await info.context.loaders.existing(ProductRow, self.row.product_id))

    @strawberry.field(
        description="The prices. They exist in the simulation only: `node` does not find them."
    )
    def prices(self) -> list[ProductPrice]:
        return [ProductPrice.of(row) for row in price_rows(self.row)]

    @strawberry.field(description="The benefits.")
    def benefits(self) -> list[SimulatedBenefit]:
        return [SimulatedBenefit.of(benefit) for benefit in benefits_of(self.row)]

    @connection(
        SimulatedCustomer,
        description="The customers, those with the greatest `difference` first: who would have "
        "paid more. `last` begins with those who would have paid less.",
        extensions=[requires(Scope.BILLING_READ)],
    )
    def customers(self) -> Listed:
        simulation = simulation_of(self.row)
        prices = {row.id: row for row in price_rows(self.row)}

        def made(row: SimulatedCustomerRow) -> SimulatedCustomer:
            return SimulatedCustomer(
                row=row,
                simulation=simulation,
                prices=prices,
                amount=BigInt(row.amount),
                current_amount=BigInt(row.current_amount),
                difference=BigInt(row.difference),
            )

        return Listed(simulated_customers_source(self.row.organization_id, self.row.id), made)

    @classmethod
    def of(cls, row: PriceSimulationRow) -> "PriceSimulation":
        status = SimulationStatus(row.status)
        return cls(
            id=encode_id("PriceSimulation", row.id),
            row=row,
            name=row.name,
            status=status,
            progress=1.0
            if status is SimulationStatus.DONE
            else min(1.0, row.simulated / max(1, row.candidates or 0)),
            failure=row.failure,
            currency=CurrencyCode(row.currency),
            start=row.starts_at,
            end=row.ends_at,
            recurring_interval=RecurringInterval(row.recurring_interval),
            minimum_amount=None if row.minimum_amount is None else BigInt(row.minimum_amount),
            position=BigInt(row.position),
            created_at=row.created_at,
            finished_at=row.finished_at,
            expires_at=row.expires_at,
            total=BigInt(int(row.total)),
            current_total=BigInt(int(row.current_total)),
        )


@strawberry.type(description="The simulation, or the reason why it was not started.")
class PriceSimulationStartPayload:
    simulation: PriceSimulation | None = strawberry.field(
        default=None, description="The simulation, which is running."
    )
    user_errors: list[UserError] = user_errors()

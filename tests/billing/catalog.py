"""What tests sell: customers, meters, products and benefits of one organization."""

from collections.abc import Sequence
from decimal import Decimal

from tortoise.backends.base.client import BaseDBAsyncClient

from billing.catalog.benefits import MeterCredit
from billing.catalog.new_benefits import create_benefit
from billing.catalog.prices import FixedDraft, MeteredDraft, PriceDraft
from billing.catalog.products import ProductDraft, create_product
from billing.periods.grants import DEFAULT_PRIORITY
from billing.periods.intervals import BillingPeriods, RecurringInterval
from metering.language.aggregations import Aggregation, AggregationFunction
from metering.language.filters import Clause, ClauseOperator, Filter
from metering.meters import create_meter
from models import Benefit, Customer, Meter, Organization, Product


class Catalog:
    """One organization, and what it sells."""

    def __init__(self, organization: Organization, database: BaseDBAsyncClient) -> None:
        self.organization = organization
        self.id = organization.id
        self.database = database

    async def customer(self, external_id: str = "acme") -> Customer:
        return await Customer.create(organization_id=self.id, external_id=external_id)

    async def meter(
        self,
        function: AggregationFunction = AggregationFunction.SUM,
        name: str = "ai_usage",
        dimensions: Sequence[str] = (),
        *,
        carries_over: bool = False,
        **equal: str,
    ) -> Meter:
        """A meter of events with a name, and of those properties."""
        counts = function is AggregationFunction.COUNT
        return await create_meter(
            self.id,
            f"{function} of {name}",
            None,
            Filter(
                clauses=tuple(
                    Clause(key, ClauseOperator.EQUALS, value)
                    for key, value in {"name": name, **equal}.items()
                )
            ),
            Aggregation(function, None if counts else "tokens", carries_over),
            dimensions,
        )

    def per_unit(self, meter: Meter, amount: str | int = 1) -> MeteredDraft:
        return MeteredDraft("USD", meter.id, parameters={"unit_amount": Decimal(amount)})

    def fixed(self, amount: int = 2000) -> FixedDraft:
        return FixedDraft("USD", amount)

    async def product(
        self,
        *prices: PriceDraft,
        benefits: Sequence[Benefit] = (),
        interval: RecurringInterval = RecurringInterval.MONTH,
        name: str = "AI plan",
        trial_days: int | None = None,
        count: int = 1,
        billing_periods: BillingPeriods = BillingPeriods.FROM_START,
        usage_interval: RecurringInterval | None = None,
        minimum: int | None = None,
    ) -> Product:
        draft = ProductDraft(
            name,
            None,
            interval,
            prices,
            [benefit.id for benefit in benefits],
            trial_days,
            count,
            billing_periods,
            usage_interval,
            minimum,
        )
        return await create_product(self.id, draft)

    async def benefit(
        self,
        meter: Meter,
        units: str | int,
        *,
        rollover: bool = False,
        days: int | None = None,
        limit: int | None = None,
        priority: int = DEFAULT_PRIORITY,
        per_quantity: bool = False,
    ) -> Benefit:
        credit = MeterCredit(
            meter.id,
            Decimal(units),
            rollover,
            priority,
            days,
            None if limit is None else Decimal(limit),
            per_quantity,
        )
        return await create_benefit(self.id, "Included", credit)

"""Product and its benefits."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import strawberry

from billing.catalog.benefits import MeterCredit
from models import Benefit as BenefitRow
from models import Product as ProductRow
from schema.billing_enums import BillingPeriods, RecurringInterval
from schema.context import Info
from schema.errors import UserError, user_errors
from schema.ids import Node, encode_id
from schema.scalars import BigInt
from schema.types.price import LazyMeter, ProductPrice, meter_of


@strawberry.type(
    description="A benefit that credits units of a meter at the start of every usage period of a "
    "subscription."
)
class MeterCreditBenefit(Node):
    meter_key: strawberry.Private[UUID]
    description: str = strawberry.field(description="A description for people.")
    units: Decimal = strawberry.field(description="The number of the meter's units.")
    rollover: bool = strawberry.field(
        description="Whether unused units carry over into the next usage period."
    )
    priority: int = strawberry.field(description="Units with a lower priority are used first.")
    expires_after_days: int | None = strawberry.field(
        description="The units last for so many days. Null if they end with the usage period, or "
        "roll over without an end."
    )
    rollover_limit: Decimal | None = strawberry.field(
        description="At most so many units carry over. Null if there is no limit."
    )
    per_quantity: bool = strawberry.field(
        description="Whether the subscription's quantity multiplies the units."
    )

    @strawberry.field(description="The meter that counts the units.")
    async def meter(self, info: Info) -> LazyMeter:
        return await meter_of(info, self.meter_key)

    @classmethod
    def of(cls, row: BenefitRow) -> "MeterCreditBenefit":
        credit = MeterCredit.from_json(row.meter_id, row.parameters)
        if credit.meter_id is None:
            raise LookupError(f"meter credit {row.id} has no meter")
        return cls(
            id=encode_id("MeterCreditBenefit", row.id),
            meter_key=credit.meter_id,
            description=row.description,
            units=credit.units,
            rollover=credit.rollover,
            priority=credit.priority,
            expires_after_days=credit.expires_after_days,
            rollover_limit=credit.rollover_limit,
            per_quantity=credit.per_quantity,
        )


@strawberry.type(
    description="A product that customers subscribe to. Its interval, currency and prices never "
    "change."
)
class Product(Node):
    key: strawberry.Private[UUID]
    name: str = strawberry.field(description="The name, which also appears on invoice lines.")
    description: str | None = strawberry.field(description="A description for people.")
    recurring_interval: RecurringInterval = strawberry.field(
        description="The interval of a subscription's periods."
    )
    interval_count: int = strawberry.field(description="How many intervals a period has.")
    billing_periods: BillingPeriods = strawberry.field(description="Where periods begin.")
    usage_interval: RecurringInterval = strawberry.field(
        description="The interval of usage periods, by which usage is billed and credit granted. A "
        "period consists of one or more of them."
    )
    usage_interval_count: int = strawberry.field(
        description="How many intervals a usage period has. This is 1, unless a usage period is a "
        "whole period: then it is intervalCount."
    )
    trial_days: int | None = strawberry.field(
        description="The days that a subscription is free at first. Null if there is no trial."
    )
    minimum_amount: BigInt | None = strawberry.field(
        description="The least that the usage of a usage period costs in all metered prices "
        "together, in minor units. Null if there is no minimum."
    )
    created_at: datetime = strawberry.field(description="When it was created.")
    archived_at: datetime | None = strawberry.field(
        description="When the product was taken off sale. Its subscriptions continue. Null if "
        "it is on sale."
    )

    @strawberry.field(description="The product's prices, all in one currency.")
    async def prices(self, info: Info) -> list[ProductPrice]:
        rows = await info.context.loaders.billing.prices_of_product.load(self.key)
        return [ProductPrice.of(row) for row in rows]

    @strawberry.field(
        description="The benefits that a subscription gets at the start of every usage period."
    )
    async def benefits(self, info: Info) -> list[MeterCreditBenefit]:
        rows = await info.context.loaders.billing.benefits_of_product.load(self.key)
        return [MeterCreditBenefit.of(row) for row in rows]

    @classmethod
    def of(cls, row: ProductRow) -> "Product":
        return cls(
            id=encode_id("Product", row.id),
            key=row.id,
            name=row.name,
            description=row.description,
            recurring_interval=RecurringInterval(row.recurring_interval),
            interval_count=row.interval_count,
            billing_periods=BillingPeriods(row.billing_periods),
            usage_interval=RecurringInterval(row.usage_interval or row.recurring_interval),
            usage_interval_count=1 if row.usage_interval else row.interval_count,
            trial_days=row.trial_days,
            minimum_amount=None if row.minimum_amount is None else BigInt(row.minimum_amount),
            created_at=row.created_at,
            archived_at=row.archived_at,
        )


@strawberry.type(description="The new product, or the reason why it was not created.")
class ProductCreatePayload:
    product: Product | None = strawberry.field(default=None, description="The product.")
    user_errors: list[UserError] = user_errors()


@strawberry.type(description="The changed product, or the reason why it was not changed.")
class ProductUpdatePayload:
    product: Product | None = strawberry.field(default=None, description="The product.")
    user_errors: list[UserError] = user_errors()


@strawberry.type(description="The archived product, or the reason why it was not archived.")
class ProductArchivePayload:
    product: Product | None = strawberry.field(default=None, description="The product.")
    user_errors: list[UserError] = user_errors()


@strawberry.type(description="The new benefit, or the reason why it was not created.")
class MeterCreditBenefitCreatePayload:
    benefit: MeterCreditBenefit | None = strawberry.field(default=None, description="The benefit.")
    user_errors: list[UserError] = user_errors()

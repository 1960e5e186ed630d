"""Product, its prices and its benefits."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry

from billing.catalog.benefits import MeterCredit
from billing.catalog.prices import stored_scheme
from billing.rating.pricing import Tariff
from billing.rating.schemes import PriceScheme, Tier
from models import Benefit as BenefitRow
from models import Meter as MeterRow
from models import Product as ProductRow
from models import ProductPrice as PriceRow
from schema.billing_enums import BillingPeriods, Pricing, RecurringInterval
from schema.context import Info
from schema.errors import UserError, user_errors
from schema.ids import Node, encode_id
from schema.scalars import BigInt, CurrencyCode
from schema.types import meter  # which refers back to this module
from schema.types.price_example import ExampleUnits, PriceExample, price_examples

if TYPE_CHECKING:
    from schema.types.meter import Meter

LazyMeter = Annotated["Meter", strawberry.lazy("schema.types.meter")]


async def _meter(info: Info, key: UUID) -> "Meter":
    row: MeterRow = await info.context.loaders.existing(MeterRow, key)
    return meter.Meter.of(row)


def _scheme(row: PriceRow) -> PriceScheme:
    if row.pricing is None:
        raise LookupError(f"metered price {row.id} has no pricing")
    return stored_scheme(row.pricing, row.parameters)


@strawberry.interface(description="A price of a product: fixed, or by usage.")
class ProductPrice:
    id: strawberry.ID = strawberry.field(
        description="A permanent, opaque id. `node(id:)` returns the price."
    )
    currency: CurrencyCode = strawberry.field(description="The currency of all amounts.")

    @classmethod
    def of(cls, row: PriceRow) -> "ProductPrice":
        return FixedPrice.of_row(row) if row.kind == "FIXED" else MeteredPrice.of_row(row)


@strawberry.type(description="A fixed price, charged once per period, in advance.")
class FixedPrice(ProductPrice, Node):
    amount: BigInt = strawberry.field(description="The amount in minor units, such as cents.")

    @classmethod
    def of_row(cls, row: PriceRow) -> "FixedPrice":
        return cls(
            id=encode_id("FixedPrice", row.id),
            currency=CurrencyCode(row.currency),
            amount=BigInt(row.amount or 0),
        )


@strawberry.type(description="A tier of a price: a range of units up to a bound.")
class PriceTier:
    up_to: Decimal | None = strawberry.field(
        description="The upper bound of the tier in units, inclusive. Null for the last tier."
    )
    unit_amount: Decimal = strawberry.field(description="The price of one unit, in minor units.")
    flat_amount: BigInt = strawberry.field(
        description="The amount in minor units that is charged once when the tier is reached."
    )

    @classmethod
    def of(cls, tier: Tier) -> "PriceTier":
        return cls(
            up_to=tier.up_to,
            unit_amount=tier.unit_amount,
            flat_amount=BigInt(tier.flat_amount),
        )


@strawberry.type(
    description="A price of usage: charged in arrears for the units that a meter counted in the "
    "usage period, less credit."
)
class MeteredPrice(ProductPrice, Node):
    row: strawberry.Private[PriceRow]
    pricing: Pricing = strawberry.field(description="How the amount is computed from the units.")
    unit_amount: Decimal | None = strawberry.field(
        description="PER_UNIT only: the price of one unit in minor units, up to 12 decimals."
    )
    tiers: list[PriceTier] | None = strawberry.field(
        description="GRADUATED and VOLUME only: the tiers, ascending. The last has no upper bound."
    )
    package_amount: BigInt | None = strawberry.field(
        description="PACKAGE only: the price of each started package of packageSize units, in "
        "minor units."
    )
    package_size: Decimal | None = strawberry.field(
        description="PACKAGE only: the number of units in a package."
    )
    cap_amount: BigInt | None = strawberry.field(
        description="The most that the usage of a usage period can cost, in minor units. Null if "
        "there is no limit."
    )

    @strawberry.field(description="The meter that counts the usage.")
    async def meter(self, info: Info) -> LazyMeter:
        if self.row.meter_id is None:
            raise LookupError(f"metered price {self.row.id} has no meter")
        return await _meter(info, self.row.meter_id)

    @strawberry.field(description="What numbers of units cost, in the same order.")
    def examples(self, units: ExampleUnits) -> list[PriceExample]:
        return price_examples(Tariff(_scheme(self.row), self.row.cap_amount), units)

    @classmethod
    def of_row(cls, row: PriceRow) -> "MeteredPrice":
        scheme = _scheme(row)
        given: dict[str, Any] = {name: getattr(scheme, name) for name in scheme.parameters}
        return cls(
            id=encode_id("MeteredPrice", row.id),
            currency=CurrencyCode(row.currency),
            row=row,
            pricing=scheme.pricing,
            unit_amount=given.get("unit_amount"),
            tiers=[PriceTier.of(tier) for tier in given["tiers"]] if "tiers" in given else None,
            package_amount=given.get("package_amount"),
            package_size=given.get("package_size"),
            cap_amount=None if row.cap_amount is None else BigInt(row.cap_amount),
        )


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

    @strawberry.field(description="The meter that counts the units.")
    async def meter(self, info: Info) -> LazyMeter:
        return await _meter(info, self.meter_key)

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

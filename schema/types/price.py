"""The prices of a product: fixed, or by usage."""

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry

from billing.catalog.prices import stored_tariff
from billing.rating.conversion import Conversion
from billing.rating.dimension_rates import DimensionRate as StoredRate
from billing.rating.pricing import Tariff
from billing.rating.schemes import Tier
from models import Meter as MeterRow
from models import ProductPrice as PriceRow
from schema.billing_enums import Pricing, RoundingMode
from schema.context import Info
from schema.ids import Node, encode_id
from schema.scalars import BigInt, CurrencyCode
from schema.types import meter  # which refers back to the types of products
from schema.types.price_example import (
    ExampleUnits,
    ExampleValues,
    PriceExample,
    price_examples,
)
from schema.types.quantities import DimensionValueType

if TYPE_CHECKING:
    from schema.types.meter import Meter

LazyMeter = Annotated["Meter", strawberry.lazy("schema.types.meter")]


async def meter_of(info: Info, key: UUID) -> "Meter":
    """Returns a meter that a price or a benefit refers to."""
    row: MeterRow = await info.context.loaders.existing(MeterRow, key)
    return meter.Meter.of(row)


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
    description="How a meter's units become the units of a price: they are divided, then rounded."
)
class UnitConversion:
    divide_by: Decimal = strawberry.field(
        description="How many units of the meter are one unit of the price."
    )
    round: RoundingMode = strawberry.field(description="How the quotient is rounded.")
    decimals: int = strawberry.field(description="The decimals to which it is rounded.")

    @classmethod
    def of(cls, conversion: Conversion) -> "UnitConversion":
        return cls(
            divide_by=conversion.divide_by,
            round=conversion.rounding,
            decimals=conversion.decimals,
        )


@strawberry.type(description="A rate: the price of a unit of events that have all of these values.")
class DimensionRate:
    values: list[DimensionValueType] = strawberry.field(description="The values.")
    unit_amount: Decimal = strawberry.field(description="The price of one unit, in minor units.")

    @classmethod
    def of(cls, rate: StoredRate) -> "DimensionRate":
        values = [DimensionValueType(property=one.property, value=one.value) for one in rate.values]
        return cls(values=values, unit_amount=rate.unit_amount)


@strawberry.type(
    description="A price of usage: charged in arrears for the units that a meter counted in the "
    "usage period, less credit."
)
class MeteredPrice(ProductPrice, Node):
    row: strawberry.Private[PriceRow]
    tariff: strawberry.Private[Tariff]
    pricing: Pricing = strawberry.field(description="How the amount is computed from the units.")
    unit_amount: Decimal | None = strawberry.field(
        description="PER_UNIT only: the price of one unit in minor units, up to 12 decimals. With "
        "rates, it is that of the units that match none."
    )
    rates: list[DimensionRate] = strawberry.field(
        description="PER_UNIT only: prices by the meter's dimensions. The first rate that an event "
        "matches prices its units."
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
    bills_flat_amount_at_zero: bool = strawberry.field(
        description="Whether the first tier's flatAmount is due without usage too."
    )
    cap_amount: BigInt | None = strawberry.field(
        description="The most that the usage of a usage period can cost, in minor units. Null if "
        "there is no limit."
    )
    minimum_amount: BigInt | None = strawberry.field(
        description="The least that a usage period costs, even without usage, in minor units. Null "
        "if there is no minimum."
    )
    conversion: UnitConversion | None = strawberry.field(
        description="How the billable units are converted before they are priced. Null if they are "
        "priced as they are."
    )

    @strawberry.field(description="The meter that counts the usage.")
    async def meter(self, info: Info) -> LazyMeter:
        if self.row.meter_id is None:
            raise LookupError(f"metered price {self.row.id} has no meter")
        return await meter_of(info, self.row.meter_id)

    @strawberry.field(description="What numbers of units cost, in the same order.")
    def examples(self, units: ExampleUnits, values: ExampleValues = None) -> list[PriceExample]:
        return price_examples(self.tariff, units, values)

    @classmethod
    def of_row(cls, row: PriceRow) -> "MeteredPrice":
        tariff = stored_tariff(row)
        scheme, conversion = tariff.scheme, tariff.conversion
        given: dict[str, Any] = {name: getattr(scheme, name) for name in scheme.parameters}
        return cls(
            id=encode_id("MeteredPrice", row.id),
            currency=CurrencyCode(row.currency),
            row=row,
            tariff=tariff,
            pricing=scheme.pricing,
            unit_amount=given.get("unit_amount"),
            rates=[DimensionRate.of(rate) for rate in scheme.rates],
            tiers=[PriceTier.of(tier) for tier in given["tiers"]] if "tiers" in given else None,
            package_amount=given.get("package_amount"),
            package_size=given.get("package_size"),
            bills_flat_amount_at_zero=given.get("bills_flat_amount_at_zero", False),
            cap_amount=None if row.cap_amount is None else BigInt(row.cap_amount),
            minimum_amount=None if row.minimum_amount is None else BigInt(row.minimum_amount),
            conversion=None if conversion is None else UnitConversion.of(conversion),
        )

"""Inputs of the mutations about products and benefits."""

from decimal import Decimal
from typing import Any

import strawberry

from billing.catalog.prices import FixedDraft, MeteredDraft, PriceDraft
from billing.periods.grants import DEFAULT_PRIORITY
from billing.rating.conversion import Conversion
from billing.rating.dimension_rates import DimensionRate
from billing.rating.schemes import Tier
from metering.usage.grouping import DimensionValue
from schema.billing_enums import BillingPeriods, Pricing, RecurringInterval, RoundingMode
from schema.ids import decode_id
from schema.inputs.dimensions import DimensionValueInput
from schema.inputs.idempotency import idempotency_key
from schema.scalars import BigInt, CurrencyCode


@strawberry.input(description="A tier of a price: a range of units up to a bound.")
class PriceTierInput:
    up_to: Decimal | None = strawberry.field(
        default=None,
        description="The upper bound of the tier in units, inclusive. Null for the last tier.",
    )
    unit_amount: Decimal = strawberry.field(
        description="The price of one unit in minor units, up to 12 decimals."
    )
    flat_amount: BigInt = strawberry.field(
        default=BigInt(0),
        description="The amount in minor units that is charged once when the tier is reached.",
    )

    def read(self) -> Tier:
        """Returns the tier in the form that price schemes take."""
        return Tier(self.up_to, self.unit_amount, self.flat_amount)


@strawberry.input(description="A fixed price, charged once per period, in advance.")
class FixedPriceInput:
    currency: CurrencyCode = strawberry.field(description="The currency of the amount.")
    amount: BigInt = strawberry.field(description="The amount in minor units, such as cents.")


@strawberry.input(
    description="How a meter's units become the units of a price: they are divided, then rounded."
)
class UnitConversionInput:
    divide_by: Decimal = strawberry.field(
        default=Decimal(1),
        description="How many units of the meter are one unit of the price, above zero: 1000000 "
        "for a price of a million tokens.",
    )
    round: RoundingMode = strawberry.field(
        default=RoundingMode.NONE, description="How the quotient is rounded."
    )
    decimals: int = strawberry.field(
        default=0,
        description="The decimals to which it is rounded: 0 to 12. Without effect for NONE.",
    )

    def read(self) -> Conversion:
        """Returns the conversion, which may have problems."""
        return Conversion(self.divide_by, self.round, self.decimals)


@strawberry.input(
    description="A rate: the price of a unit of events that have all of these values."
)
class DimensionRateInput:
    values: list[DimensionValueInput] = strawberry.field(
        description="The values, of different dimensions of the meter: 1 to 5."
    )
    unit_amount: Decimal = strawberry.field(
        description="The price of one unit in minor units, up to 12 decimals."
    )

    def read(self) -> DimensionRate:
        """Returns the rate, which may have problems."""
        values = tuple(DimensionValue(one.property, one.value) for one in self.values)
        return DimensionRate(values, self.unit_amount)


@strawberry.input(
    description="A price of usage: charged in arrears for the units that a meter counted, less "
    "credit."
)
class MeteredPriceInput:
    currency: CurrencyCode = strawberry.field(description="The currency of the amounts.")
    meter_id: strawberry.ID = strawberry.field(description="The meter that counts the usage.")
    pricing: Pricing = strawberry.field(
        default=Pricing.PER_UNIT, description="How the amount is computed from the units."
    )
    unit_amount: Decimal | None = strawberry.field(
        default=None,
        description="PER_UNIT only: the price of one unit in minor units, up to 12 decimals. With "
        "rates, it is that of the units that match none.",
    )
    rates: list[DimensionRateInput] | None = strawberry.field(
        default=None,
        description="PER_UNIT only: prices by the meter's dimensions, at most 100. The first rate "
        "that an event matches prices its units. The meter counts or sums.",
    )
    tiers: list[PriceTierInput] | None = strawberry.field(
        default=None,
        description="GRADUATED and VOLUME only: at most 100 tiers, ascending. The last has no "
        "upper bound.",
    )
    package_amount: BigInt | None = strawberry.field(
        default=None,
        description="PACKAGE only: the price of each started package of packageSize units, in "
        "minor units.",
    )
    package_size: Decimal | None = strawberry.field(
        default=None, description="PACKAGE only: the number of units in a package."
    )
    bills_flat_amount_at_zero: bool | None = strawberry.field(
        default=False,
        description="GRADUATED and VOLUME only: whether the first tier's flatAmount is due without "
        "usage too. By default, zero units cost nothing.",
    )
    cap_amount: BigInt | None = strawberry.field(
        default=None,
        description="The most that the usage of a usage period can cost, in minor units.",
    )
    minimum_amount: BigInt | None = strawberry.field(
        default=None,
        description="The least that a usage period costs, even without usage, in minor units. In "
        "proportion to time, as capAmount is, if the period is cut short.",
    )
    conversion: UnitConversionInput | None = strawberry.field(
        default=None,
        description="How the billable units are converted before they are priced. Tiers and "
        "packages are in converted units. By default, they are not.",
    )

    def draft(self) -> MeteredDraft:
        """Returns the price, which may have problems."""
        parameters: dict[str, Any] = {
            "unit_amount": self.unit_amount,
            "rates": [rate.read() for rate in self.rates or ()] or None,
            "tiers": None if self.tiers is None else [tier.read() for tier in self.tiers],
            "package_amount": self.package_amount,
            "package_size": self.package_size,
            "bills_flat_amount_at_zero": self.bills_flat_amount_at_zero or None,
        }
        return MeteredDraft(
            currency=self.currency,
            meter_id=decode_id(self.meter_id, "Meter"),
            pricing=self.pricing,
            parameters=parameters,
            cap_amount=self.cap_amount,
            minimum_amount=self.minimum_amount,
            conversion=None if self.conversion is None else self.conversion.read(),
        )


@strawberry.input(one_of=True, description="A fixed or a metered price. Give exactly one.")
class ProductPriceInput:
    fixed: FixedPriceInput | None = strawberry.field(
        default=strawberry.UNSET, description="A fixed price, charged once per period, in advance."
    )
    metered: MeteredPriceInput | None = strawberry.field(
        default=strawberry.UNSET, description="A price of usage, charged in arrears."
    )

    def draft(self) -> PriceDraft:
        """Returns the price, which may have problems."""
        if self.fixed:
            return FixedDraft(self.fixed.currency, self.fixed.amount)
        if self.metered:
            return self.metered.draft()
        raise ValueError("GraphQL lets a price of neither kind through")


@strawberry.input(description="A new product.")
class ProductCreateInput:
    name: str = strawberry.field(description="The name: 1 to 256 characters.")
    description: str | None = strawberry.field(
        default=None, description="A description for people: at most 1,000 characters."
    )
    recurring_interval: RecurringInterval = strawberry.field(
        description="The interval of a subscription's periods."
    )
    interval_count: int | None = strawberry.field(
        default=1,
        description="How many intervals a period has: 3 months are a quarter. At most 366 days, 52 "
        "weeks, 60 months or 5 years.",
    )
    billing_periods: BillingPeriods | None = strawberry.field(
        default=BillingPeriods.FROM_START, description="Where periods begin."
    )
    usage_interval: RecurringInterval | None = strawberry.field(
        default=None,
        description="The interval by which usage is billed and credit granted, such as MONTH for a "
        "plan that is paid by the YEAR. A period must consist of such intervals. By default, usage "
        "goes by the periods themselves.",
    )
    prices: list[ProductPriceInput] = strawberry.field(
        description="The prices: 1 to 100, all in one currency, and at most one for each meter."
    )
    benefit_ids: list[strawberry.ID] = strawberry.field(
        default_factory=list,
        description="The benefits that a subscription gets every usage period: at most 100.",
    )
    trial_days: int | None = strawberry.field(
        default=None,
        description="The days that a subscription is free at first: 1 to 730. By default, there is "
        "no trial.",
    )
    minimum_amount: BigInt | None = strawberry.field(
        default=None,
        description="The least that the usage of a usage period costs in all metered prices "
        "together, in minor units. If it costs less, a MINIMUM line charges the difference.",
    )
    idempotency_key: str | None = idempotency_key()


@strawberry.input(
    description="Changes to a product. A field that is left out keeps its value. Prices never "
    "change."
)
class ProductUpdateInput:
    id: strawberry.ID = strawberry.field(description="The product's id.")
    name: str | None = strawberry.field(default=None, description="The name: 1 to 256 characters.")
    description: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="A description for people: at most 1,000 characters. Null removes it.",
    )
    benefit_ids: list[strawberry.ID] | None = strawberry.field(
        default=None,
        description="The benefits that a subscription gets every usage period, from its next one "
        "on.",
    )


@strawberry.input(description="The product to archive.")
class ProductArchiveInput:
    id: strawberry.ID = strawberry.field(description="The product's id.")


@strawberry.input(description="A new benefit that credits units of a meter every usage period.")
class MeterCreditBenefitCreateInput:
    description: str = strawberry.field(
        description="A description for people: 1 to 1,000 characters."
    )
    meter_id: strawberry.ID = strawberry.field(description="The meter that counts the units.")
    units: Decimal = strawberry.field(description="The number of units, above zero.")
    rollover: bool = strawberry.field(
        default=False, description="Whether unused units carry over into the next usage period."
    )
    priority: int | None = strawberry.field(
        default=DEFAULT_PRIORITY,
        description="Units with a lower priority are used first: 0 to 1,000.",
    )
    per_quantity: bool | None = strawberry.field(
        default=False,
        description="Whether the subscription's quantity multiplies the units. A rolloverLimit is "
        "for all of them together.",
    )
    expires_after_days: int | None = strawberry.field(
        default=None,
        description="The units last for so many days from the start of the usage period: 1 to "
        "3,650. By default, they end with it, unless they roll over. The meter must count or sum.",
    )
    rollover_limit: Decimal | None = strawberry.field(
        default=None,
        description="At most so many units of the benefit carry over into the next usage period, "
        "above zero. By default, all do. Only with rollover.",
    )
    idempotency_key: str | None = idempotency_key()

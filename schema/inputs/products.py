"""Inputs of the mutations about products and benefits."""

from decimal import Decimal
from typing import Any

import strawberry

from billing.rating.schemes import Tier
from schema.billing_enums import Pricing, RecurringInterval
from schema.inputs.idempotency import idempotency_key
from schema.scalars import BigInt, CurrencyCode


@strawberry.input(description="A tier of a price: units up to a bound.")
class PriceTierInput:
    up_to: Decimal | None = strawberry.field(
        default=None, description="The last unit of the tier, inclusive; null for the last tier."
    )
    unit_amount: Decimal = strawberry.field(
        description="Minor units for one unit, up to 12 decimals."
    )
    flat_amount: BigInt = strawberry.field(
        default=BigInt(0),
        description="Minor units that are charged once when the tier is reached.",
    )

    def read(self) -> Tier:
        """The tier as price schemes know it."""
        return Tier(self.up_to, self.unit_amount, self.flat_amount)


@strawberry.input(description="A price that is charged in advance, once a period.")
class FixedPriceInput:
    currency: CurrencyCode = strawberry.field(description="What the amount is in.")
    amount: BigInt = strawberry.field(description="In minor units, such as cents.")


@strawberry.input(
    description="A price that is charged in arrears on what a meter counted, less credits."
)
class MeteredPriceInput:
    currency: CurrencyCode = strawberry.field(description="What the amounts are in.")
    meter_id: strawberry.ID = strawberry.field(description="What counts the usage.")
    pricing: Pricing = strawberry.field(
        default=Pricing.PER_UNIT, description="How units become an amount."
    )
    unit_amount: Decimal | None = strawberry.field(
        default=None,
        description="PER_UNIT only: minor units for one unit, up to 12 decimals.",
    )
    tiers: list[PriceTierInput] | None = strawberry.field(
        default=None,
        description="GRADUATED and VOLUME only: at most 100, ascending; the last has no end.",
    )
    package_amount: BigInt | None = strawberry.field(
        default=None,
        description="PACKAGE only: minor units for each started package of packageSize units.",
    )
    package_size: Decimal | None = strawberry.field(
        default=None, description="PACKAGE only: how many units a package has."
    )
    cap_amount: BigInt | None = strawberry.field(
        default=None, description="The most that a period's usage costs, in minor units."
    )

    def parameters(self) -> dict[str, Any]:
        """The parameters of all price schemes; None is one that was left out."""
        return {
            "unit_amount": self.unit_amount,
            "tiers": None if self.tiers is None else [tier.read() for tier in self.tiers],
            "package_amount": self.package_amount,
            "package_size": self.package_size,
        }


@strawberry.input(one_of=True, description="Exactly one of a fixed and a metered price.")
class ProductPriceInput:
    fixed: FixedPriceInput | None = strawberry.field(
        default=strawberry.UNSET, description="Charged in advance, once a period."
    )
    metered: MeteredPriceInput | None = strawberry.field(
        default=strawberry.UNSET, description="Charged in arrears, by usage."
    )


@strawberry.input(description="A new product.")
class ProductCreateInput:
    name: str = strawberry.field(description="What people call it: 1 to 256 characters.")
    description: str | None = strawberry.field(
        default=None, description="What people read about it: at most 1,000 characters."
    )
    recurring_interval: RecurringInterval = strawberry.field(
        description="How long a subscription's periods are."
    )
    prices: list[ProductPriceInput] = strawberry.field(
        description="What it costs: 1 to 100 prices, all in one currency, at most one a meter."
    )
    benefit_ids: list[strawberry.ID] = strawberry.field(
        default_factory=list, description="What it brings every period: at most 100 benefits."
    )
    idempotency_key: str | None = idempotency_key()


@strawberry.input(
    description="Changes of a product: what is left out stays. Prices are never changed."
)
class ProductUpdateInput:
    id: strawberry.ID = strawberry.field(description="Which product.")
    name: str | None = strawberry.field(
        default=None, description="What people call it: 1 to 256 characters."
    )
    description: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="What people read about it: at most 1,000 characters; null takes it away.",
    )
    benefit_ids: list[strawberry.ID] | None = strawberry.field(
        default=None,
        description="What it brings every period, for each subscription from its next one on.",
    )


@strawberry.input(description="Which product to archive.")
class ProductArchiveInput:
    id: strawberry.ID = strawberry.field(description="Which product.")


@strawberry.input(description="A new benefit: units of a meter, every period.")
class MeterCreditBenefitCreateInput:
    description: str = strawberry.field(
        description="What people read about it: 1 to 1,000 characters."
    )
    meter_id: strawberry.ID = strawberry.field(description="What the units are of.")
    units: Decimal = strawberry.field(description="How many units, above zero.")
    rollover: bool = strawberry.field(
        default=False, description="Whether unused units carry over into the next period."
    )
    idempotency_key: str | None = idempotency_key()

"""Prices of products: drafts and their checks, and how prices are stored and loaded."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from billing.numbers import MAXIMUM_AMOUNT, amount_problems
from billing.rating.conversion import Conversion
from billing.rating.lines import MeteredPrice
from billing.rating.pricing import Tariff
from billing.rating.schemes import Pricing, scheme_class
from metering.problems import Problem, problem
from models import ProductPrice, exact_json

MAXIMUM_PRICES = 100


@dataclass(frozen=True, slots=True)
class FixedDraft:
    """A fixed price to be created. `amount` is in minor units."""

    currency: str
    amount: int

    def problems(self, *path: str | int) -> list[Problem]:
        """Returns what is wrong with the amount."""
        return list(amount_problems(self.amount, *path, "amount"))

    def columns(self) -> dict[str, Any]:
        """Returns the values for the columns of product_price."""
        return {"kind": "FIXED", "currency": self.currency, "amount": self.amount}


@dataclass(frozen=True, slots=True)
class MeteredDraft:
    """A metered price to be created.

    `meter_id` is None if the id in the input names no meter. `parameters` are those of all schemes,
    by name; a parameter that was left out is None.
    """

    currency: str
    meter_id: UUID | None
    pricing: Pricing = Pricing.PER_UNIT
    parameters: Mapping[str, Any] = field(default_factory=dict)
    cap_amount: int | None = None
    minimum_amount: int | None = None
    conversion: Conversion | None = None

    def problems(self, *path: str | int) -> list[Problem]:
        """Returns what is wrong with the scheme's parameters, the conversion and the limits."""
        found = list(scheme_class(self.pricing).problems(self.parameters, *path))
        if self.conversion is not None:
            found += self.conversion.problems(*path, "conversion")
        cap, minimum = self.cap_amount, self.minimum_amount
        if cap is not None:
            found += amount_problems(cap, *path, "capAmount")
        if minimum is not None:
            found += amount_problems(minimum, *path, "minimumAmount")
        if cap is not None and minimum is not None and minimum > cap:
            message = "minimumAmount must not be above capAmount."
            found.append(problem("INVALID", message, *path, "minimumAmount"))
        return found

    def tariff(self) -> Tariff:
        """Returns the tariff of a draft that has no problems."""
        scheme = scheme_class(self.pricing).of(self.parameters)
        return Tariff(scheme, self.cap_amount, self.minimum_amount, self.conversion)

    def columns(self) -> dict[str, Any]:
        """Returns the values for the columns of product_price."""
        return {
            "kind": "METERED",
            "currency": self.currency,
            "meter_id": self.meter_id,
            "pricing": self.pricing.value,
            "parameters": self.tariff().scheme.to_json(),
            "cap_amount": self.cap_amount,
            "minimum_amount": self.minimum_amount,
            "conversion": None if self.conversion is None else self.conversion.to_json(),
        }


PriceDraft = FixedDraft | MeteredDraft


def check_prices(drafts: Sequence[PriceDraft]) -> tuple[Problem, ...]:
    """Returns what is wrong with the prices of a product. Paths begin with "prices"."""
    if not drafts:
        return (problem("INVALID", "Give at least one price.", "prices"),)
    if len(drafts) > MAXIMUM_PRICES:
        message = f"There can be at most {MAXIMUM_PRICES} prices."
        return (problem("LIMIT_EXCEEDED", message, "prices"),)
    found: list[Problem] = []
    metered: set[UUID] = set()
    for index, draft in enumerate(drafts):
        kind = "fixed" if isinstance(draft, FixedDraft) else "metered"
        path = ("prices", index, kind)
        if draft.currency != drafts[0].currency:
            message = f"All prices of a product must be in one currency: {drafts[0].currency}."
            found.append(problem("INVALID", message, *path, "currency"))
        found += draft.problems(*path)
        if isinstance(draft, MeteredDraft) and draft.meter_id is not None:
            if draft.meter_id in metered:
                message = "Another price of this product already uses this meter."
                found.append(problem("INVALID", message, *path, "meterId"))
            metered.add(draft.meter_id)
    fixed = sum(draft.amount for draft in drafts if isinstance(draft, FixedDraft))
    if fixed > MAXIMUM_AMOUNT and not found:
        message = f"The fixed prices together must be at most {MAXIMUM_AMOUNT:,}."
        found.append(problem("LIMIT_EXCEEDED", message, "prices"))
    return tuple(found)


def minimum_problems(amount: int | None, prices: Sequence[PriceDraft]) -> list[Problem]:
    """Returns what is wrong with the least that the usage of a product costs."""
    if amount is None:
        return []
    found = list(amount_problems(amount, "minimumAmount"))
    if not any(isinstance(price, MeteredDraft) for price in prices):
        message = "A minimum is for usage, so it needs a metered price."
        found.append(problem("INVALID", message, "minimumAmount"))
    return found


def meter_problems(
    meter_id: UUID | None, live_meters: Mapping[UUID, bool], *path: str | int
) -> list[Problem]:
    """Returns what is wrong with the meter of a price or a benefit."""
    if meter_id is None or meter_id not in live_meters:
        return [problem("NOT_FOUND", "There is no meter with this id.", *path)]
    if not live_meters[meter_id]:
        return [problem("INVALID", "This meter is archived.", *path)]
    return []


def stored_tariff(price: ProductPrice) -> Tariff:
    """Loads the tariff of a metered price.

    Raises:
        LookupError: the price has no scheme.
    """
    if price.pricing is None:
        raise LookupError(f"price {price.id} is not metered")
    return Tariff(
        scheme_class(Pricing(price.pricing)).from_json(price.parameters),
        price.cap_amount,
        price.minimum_amount,
        None if price.conversion is None else Conversion.from_json(price.conversion),
    )


def metered_price(row: Mapping[str, Any]) -> MeteredPrice:
    """Loads a metered price from a row of product_price."""
    scheme = scheme_class(Pricing(row["pricing"])).from_json(exact_json.loads(row["parameters"]))
    conversion = row["conversion"]
    if conversion is not None:
        conversion = Conversion.from_json(exact_json.loads(conversion))
    tariff = Tariff(scheme, row["cap_amount"], row["minimum_amount"], conversion)
    return MeteredPrice(row["id"], row["meter_id"], tariff)


async def metered_prices(
    connection: BaseDBAsyncClient, organization_id: UUID, price_ids: Iterable[UUID]
) -> dict[UUID, MeteredPrice]:
    """Loads metered prices, by id."""
    rows = await connection.execute_query_dict(
        "SELECT * FROM product_price WHERE organization_id = $1 AND id = ANY($2::uuid[])",
        [organization_id, list(set(price_ids))],
    )
    return {row["id"]: metered_price(row) for row in rows}

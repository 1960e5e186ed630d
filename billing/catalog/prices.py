"""Prices of products: drafts and their checks, and how prices are stored and loaded."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from billing.numbers import MAXIMUM_AMOUNT, amount_problems
from billing.rating.lines import MeteredPrice
from billing.rating.pricing import Tariff
from billing.rating.schemes import PriceScheme, Pricing, scheme_class
from metering.problems import Problem, problem
from models import exact_json

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

    def problems(self, *path: str | int) -> list[Problem]:
        """Returns what is wrong with the scheme's parameters and with the cap."""
        found = list(scheme_class(self.pricing).problems(self.parameters, *path))
        if self.cap_amount is not None:
            found += amount_problems(self.cap_amount, *path, "capAmount")
        return found

    def tariff(self) -> Tariff:
        """Returns the tariff of a draft that has no problems."""
        return Tariff(scheme_class(self.pricing).of(self.parameters), self.cap_amount)

    def columns(self) -> dict[str, Any]:
        """Returns the values for the columns of product_price."""
        return {
            "kind": "METERED",
            "currency": self.currency,
            "meter_id": self.meter_id,
            "pricing": self.pricing.value,
            "parameters": self.tariff().scheme.to_json(),
            "cap_amount": self.cap_amount,
        }


PriceDraft = FixedDraft | MeteredDraft


def check_prices(drafts: Sequence[PriceDraft]) -> tuple[Problem, ...]:
    """Returns what is wrong with the prices of a product. Paths begin with "prices"."""
    if not drafts:
        return (problem("INVALID", "A product needs at least one price.", "prices"),)
    if len(drafts) > MAXIMUM_PRICES:
        message = f"A product can have at most {MAXIMUM_PRICES} prices."
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


def meter_problems(
    meter_id: UUID | None, live_meters: Mapping[UUID, bool], *path: str | int
) -> list[Problem]:
    """Returns what is wrong with the meter of a price or a benefit."""
    if meter_id is None or meter_id not in live_meters:
        return [problem("NOT_FOUND", "There is no meter with this id.", *path)]
    if not live_meters[meter_id]:
        return [problem("INVALID", "This meter is archived.", *path)]
    return []


def stored_scheme(pricing: str, parameters: Mapping[str, Any]) -> PriceScheme:
    """Loads the scheme from the columns of product_price."""
    return scheme_class(Pricing(pricing)).from_json(parameters)


def metered_price(row: Mapping[str, Any]) -> MeteredPrice:
    """Loads a metered price from a row of product_price."""
    scheme = stored_scheme(row["pricing"], exact_json.loads(row["parameters"]))
    return MeteredPrice(row["id"], row["meter_id"], Tariff(scheme, row["cap_amount"]))


async def metered_prices(
    connection: BaseDBAsyncClient, organization_id: UUID, price_ids: Iterable[UUID]
) -> dict[UUID, MeteredPrice]:
    """Loads metered prices, by id."""
    rows = await connection.execute_query_dict(
        "SELECT * FROM product_price WHERE organization_id = $1 AND id = ANY($2::uuid[])",
        [organization_id, list(set(price_ids))],
    )
    return {row["id"]: metered_price(row) for row in rows}

"""Whether prices make sense: every rule that needs no database, each with the path it breaks at."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from billing.problems import Problem, problem
from billing.rating.pricing import Graduated, MeteredTerms, Package, PerUnit, Pricing, Tier, Volume

MAXIMUM_PRICES = 100
MAXIMUM_TIERS = 100
MAXIMUM_DECIMALS = 12
MAXIMUM_AMOUNT = 10**15  # minor units; every client reads such an integer exactly
MAXIMUM_UNITS = Decimal(10) ** 30


@dataclass(frozen=True, slots=True)
class FixedDraft:
    """A fixed price as somebody asks for it; `amount` in minor units."""

    currency: str
    amount: int


@dataclass(frozen=True, slots=True)
class MeteredDraft:
    """A metered price as somebody asks for it. `meter_id` is None where the id names no meter."""

    currency: str
    meter_id: UUID | None
    pricing: Pricing = Pricing.PER_UNIT
    unit_amount: Decimal | None = None
    tiers: Sequence[Tier] | None = None
    package_amount: int | None = None
    package_size: Decimal | None = None
    cap_amount: int | None = None


PriceDraft = FixedDraft | MeteredDraft

_FIELDS = {
    Pricing.PER_UNIT: ("unitAmount",),
    Pricing.GRADUATED: ("tiers",),
    Pricing.VOLUME: ("tiers",),
    Pricing.PACKAGE: ("packageAmount", "packageSize"),
}


def check_prices(drafts: Sequence[PriceDraft]) -> tuple[Problem, ...]:
    """What is wrong with the prices of a product; paths begin with "prices"."""
    if not drafts:
        return (problem("INVALID", "A product needs at least one price.", "prices"),)
    if len(drafts) > MAXIMUM_PRICES:
        message = f"A product has at most {MAXIMUM_PRICES} prices."
        return (problem("LIMIT_EXCEEDED", message, "prices"),)
    found: list[Problem] = []
    metered: set[UUID] = set()
    fixed = 0
    for index, draft in enumerate(drafts):
        kind = "fixed" if isinstance(draft, FixedDraft) else "metered"
        path = ("prices", index, kind)
        if draft.currency != drafts[0].currency:
            message = f"All prices of a product are in one currency, here {drafts[0].currency}."
            found.append(problem("INVALID", message, *path, "currency"))
        if isinstance(draft, FixedDraft):
            found += _amount(draft.amount, *path, "amount")
            fixed += draft.amount
            continue
        found += check_metered(draft, *path)
        if draft.meter_id is not None and draft.meter_id in metered:
            message = "Another price of this product is on this meter already."
            found.append(problem("INVALID", message, *path, "meterId"))
        elif draft.meter_id is not None:
            metered.add(draft.meter_id)
    if fixed > MAXIMUM_AMOUNT and not found:
        message = f"The fixed prices together must be at most {MAXIMUM_AMOUNT:,}."
        found.append(problem("LIMIT_EXCEEDED", message, "prices"))
    return tuple(found)


def check_metered(draft: MeteredDraft, *path: str | int) -> list[Problem]:
    """What is wrong with one metered price."""
    given = {
        "unitAmount": draft.unit_amount is not None,
        "tiers": draft.tiers is not None,
        "packageAmount": draft.package_amount is not None,
        "packageSize": draft.package_size is not None,
    }
    found: list[Problem] = []
    for field, is_given in given.items():
        needed = field in _FIELDS[draft.pricing]
        if is_given and not needed:
            message = f"{field} does not belong to {draft.pricing} pricing."
            found.append(problem("INVALID", message, *path, field))
        if needed and not is_given:
            message = f"{draft.pricing} pricing needs {field}."
            found.append(problem("INVALID", message, *path, field))
        if needed and is_given:
            found += _value(draft, field, *path)
    if draft.cap_amount is not None:
        found += _amount(draft.cap_amount, *path, "capAmount")
    return found


def terms_of(draft: MeteredDraft) -> MeteredTerms:
    """The terms of a draft that `check_metered` has no word against."""
    match draft:
        case MeteredDraft(pricing=Pricing.PER_UNIT, unit_amount=Decimal() as unit_amount):
            return MeteredTerms(PerUnit(unit_amount), draft.cap_amount)
        case MeteredDraft(pricing=Pricing.GRADUATED, tiers=tiers) if tiers is not None:
            return MeteredTerms(Graduated(tuple(tiers)), draft.cap_amount)
        case MeteredDraft(pricing=Pricing.VOLUME, tiers=tiers) if tiers is not None:
            return MeteredTerms(Volume(tuple(tiers)), draft.cap_amount)
        case MeteredDraft(package_size=Decimal() as size, package_amount=int(amount)):
            return MeteredTerms(Package(size, amount), draft.cap_amount)
        case _:
            raise ValueError(f"{draft.pricing} pricing lacks its fields")


def _value(draft: MeteredDraft, field: str, *path: str | int) -> Iterator[Problem]:
    if field == "unitAmount" and draft.unit_amount is not None:
        yield from _unit_amount(draft.unit_amount, *path, field)
    if field == "tiers" and draft.tiers is not None:
        yield from _tiers(draft.tiers, *path, field)
    if field == "packageAmount" and draft.package_amount is not None:
        yield from _amount(draft.package_amount, *path, field)
    if field == "packageSize" and draft.package_size is not None:
        yield from units_problems(draft.package_size, *path, field)


def _tiers(tiers: Sequence[Tier], *path: str | int) -> Iterator[Problem]:
    if not tiers:
        yield problem("INVALID", "There must be at least one tier.", *path)
    if len(tiers) > MAXIMUM_TIERS:
        yield problem("LIMIT_EXCEEDED", f"There are at most {MAXIMUM_TIERS} tiers.", *path)
        return
    below: Decimal | None = None
    for index, tier in enumerate(tiers):
        last = index == len(tiers) - 1
        yield from _unit_amount(tier.unit_amount, *path, index, "unitAmount")
        yield from _amount(tier.flat_amount, *path, index, "flatAmount")
        end = (*path, index, "upTo")
        if last and tier.up_to is not None:
            yield problem("INVALID", "The last tier has no end: leave its upTo out.", *end)
        if not last and tier.up_to is None:
            yield problem("INVALID", "Only the last tier may be without an end.", *end)
        if tier.up_to is None:
            continue
        yield from units_problems(tier.up_to, *end)
        if below is not None and tier.up_to <= below:
            yield problem("INVALID", "Each tier must end above the one before it.", *end)
        below = tier.up_to


def units_problems(units: Decimal, *path: str | int) -> Iterator[Problem]:
    """What is wrong with a number of units that must be above zero."""
    if units <= 0:
        yield problem("INVALID", f"{path[-1]} must be above zero.", *path)
    yield from decimal_problems(units, *path)


def decimal_problems(value: Decimal, *path: str | int) -> Iterator[Problem]:
    """What is wrong with the size or precision of a decimal number, whatever its sign."""
    if abs(value) > MAXIMUM_UNITS:
        yield problem("LIMIT_EXCEEDED", f"{path[-1]} must lie within ±{MAXIMUM_UNITS:e}.", *path)
    elif _decimals(value) > MAXIMUM_DECIMALS:
        message = f"{path[-1]} may have at most {MAXIMUM_DECIMALS} decimals."
        yield problem("INVALID", message, *path)


def _unit_amount(value: Decimal, *path: str | int) -> Iterator[Problem]:
    if value < 0:
        yield problem("INVALID", f"{path[-1]} must not be below zero.", *path)
    elif value > MAXIMUM_AMOUNT:
        yield problem("LIMIT_EXCEEDED", f"{path[-1]} must be at most {MAXIMUM_AMOUNT:,}.", *path)
    yield from decimal_problems(value, *path)


def _amount(value: int, *path: str | int) -> Iterator[Problem]:
    if value < 0:
        yield problem("INVALID", f"{path[-1]} must not be below zero.", *path)
    elif value > MAXIMUM_AMOUNT:
        yield problem("LIMIT_EXCEEDED", f"{path[-1]} must be at most {MAXIMUM_AMOUNT:,}.", *path)


def _decimals(value: Decimal) -> int:
    """Digits after the point that are not trailing zeros."""
    return len(format(value, "f").partition(".")[2].rstrip("0"))

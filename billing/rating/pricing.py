"""What units cost: the metered price schemes (design section 7).

Units and unit amounts are exact decimals, amounts are integers in minor units. Only the amount
of a whole line is rounded, half away from zero, and the cap comes after that.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from billing.rating.exact import minus, plus, started, times, whole_half_away


class Pricing(StrEnum):
    """How a metered price turns units into an amount."""

    PER_UNIT = "PER_UNIT"
    GRADUATED = "GRADUATED"
    VOLUME = "VOLUME"
    PACKAGE = "PACKAGE"


@dataclass(frozen=True, slots=True)
class Tier:
    """Units up to and including `up_to` (None: without end); `flat_amount` once it is reached."""

    up_to: Decimal | None
    unit_amount: Decimal
    flat_amount: int = 0


@dataclass(frozen=True, slots=True)
class PerUnit:
    """Every unit costs the same."""

    unit_amount: Decimal

    def exact_amount(self, units: Decimal) -> Decimal:
        """Minor units for `units` above zero, not yet rounded."""
        return times(units, self.unit_amount)


@dataclass(frozen=True, slots=True)
class Graduated:
    """The part of the units that falls into a tier costs what that tier says."""

    tiers: tuple[Tier, ...]

    def exact_amount(self, units: Decimal) -> Decimal:
        """Minor units for `units` above zero, not yet rounded."""
        amount, below = Decimal(0), Decimal(0)
        for tier in self.tiers:
            if units <= below:
                break
            top = units if tier.up_to is None else min(units, tier.up_to)
            part = times(minus(top, below), tier.unit_amount)
            amount = plus(plus(amount, part), Decimal(tier.flat_amount))
            below = top
        return amount


@dataclass(frozen=True, slots=True)
class Volume:
    """All units cost what the tier says that they reach."""

    tiers: tuple[Tier, ...]

    def exact_amount(self, units: Decimal) -> Decimal:
        """Minor units for `units` above zero, not yet rounded."""
        reached = next(tier for tier in self.tiers if tier.up_to is None or units <= tier.up_to)
        return plus(times(units, reached.unit_amount), Decimal(reached.flat_amount))


@dataclass(frozen=True, slots=True)
class Package:
    """Every started package of `size` units costs `amount`."""

    size: Decimal
    amount: int

    def exact_amount(self, units: Decimal) -> Decimal:
        """Minor units for `units` above zero."""
        return Decimal(started(units, self.size) * self.amount)


Scheme = PerUnit | Graduated | Volume | Package


@dataclass(frozen=True, slots=True)
class MeteredTerms:
    """What a metered price charges; `cap_amount` is the most for one period."""

    scheme: Scheme
    cap_amount: int | None = None


def price_units(terms: MeteredTerms, billable: Decimal) -> int:
    """Minor units for the billable units of one period, rounded once and then capped."""
    if billable <= 0:
        return 0
    amount = whole_half_away(terms.scheme.exact_amount(billable))
    return amount if terms.cap_amount is None else min(amount, terms.cap_amount)


@dataclass(frozen=True, slots=True)
class Rating:
    """A period's usage turned into money.

    `consumed` may be below zero, and is shown so. `credited` are the units of credit set against
    it. `billable` is never below zero. `amount` is in minor units.
    """

    consumed: Decimal
    credited: Decimal
    billable: Decimal
    amount: int

    def less(self, billed: "Rating") -> "Rating":
        """What a correction says: this rating less what was billed."""
        return Rating(
            consumed=minus(self.consumed, billed.consumed),
            credited=minus(self.credited, billed.credited),
            billable=minus(self.billable, billed.billable),
            amount=self.amount - billed.amount,
        )

    def plus(self, other: "Rating") -> "Rating":
        """Both together: a period's line and its corrections."""
        return Rating(
            consumed=plus(self.consumed, other.consumed),
            credited=plus(self.credited, other.credited),
            billable=plus(self.billable, other.billable),
            amount=self.amount + other.amount,
        )


NOTHING_BILLED = Rating(Decimal(0), Decimal(0), Decimal(0), 0)


def rate(terms: MeteredTerms, consumed: Decimal, credited: Decimal) -> Rating:
    """Rates a period: `consumed` units against all the credit of the period.

    billable = max(0, consumed - credited). Credit is below zero where late usage took what had
    been debited since; it then counts as none, so that a debit never makes a charge.
    """
    credited = min(max(credited, Decimal(0)), max(consumed, Decimal(0)))
    billable = max(Decimal(0), minus(consumed, credited))
    return Rating(
        consumed=consumed,
        credited=credited,
        billable=billable,
        amount=price_units(terms, billable),
    )

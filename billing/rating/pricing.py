"""Applies the scheme and the cap of a metered price to usage and credit. Pure.

Units and unit amounts are exact decimals, amounts are integers in minor units. Only the amount of
a whole line is rounded, half away from zero, and then capped.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from billing.numbers import minus, whole_half_away
from billing.periods.shares import share_of_amount
from billing.rating.schemes import PriceScheme


@dataclass(frozen=True, slots=True)
class Rating:
    """The usage of a period, and what it costs.

    `consumed` may be negative. `credited` is the part of it that credit covers. `billable` is
    never negative. `amount` is in minor units.
    """

    consumed: Decimal
    credited: Decimal
    billable: Decimal
    amount: int

    def less(self, billed: "Rating") -> "Rating":
        """Returns the rating of a correction: this one less what was billed."""
        return Rating(
            consumed=minus(self.consumed, billed.consumed),
            credited=minus(self.credited, billed.credited),
            billable=minus(self.billable, billed.billable),
            amount=self.amount - billed.amount,
        )


NOTHING_BILLED = Rating(Decimal(0), Decimal(0), Decimal(0), 0)


@dataclass(frozen=True, slots=True)
class Tariff:
    """A price scheme, and the most that it charges for one period."""

    scheme: PriceScheme
    cap_amount: int | None = None

    def part(self, share: Fraction) -> "Tariff":
        """Returns the tariff for a part of a period. The cap is in proportion to time."""
        if self.cap_amount is None or share == 1:
            return self
        return replace(self, cap_amount=share_of_amount(self.cap_amount, share))

    def amount(self, billable: Decimal) -> int:
        """Returns what the billable units of a period cost: rounded once, then capped."""
        if billable <= 0:
            return 0
        amount = whole_half_away(self.scheme.exact_amount(billable))
        return amount if self.cap_amount is None else min(amount, self.cap_amount)

    def rate(self, consumed: Decimal, credited: Decimal) -> Rating:
        """Rates a period's usage, less its credit.

        Credit is negative if late usage burned units that were debited since. It counts as zero
        then, so that a debit never causes a charge.
        """
        credited = min(max(credited, Decimal(0)), max(consumed, Decimal(0)))
        billable = max(Decimal(0), minus(consumed, credited))
        return Rating(consumed, credited, billable, self.amount(billable))

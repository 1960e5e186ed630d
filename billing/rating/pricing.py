"""Applies a metered price to usage and credit: its conversion, scheme, cap and minimum. Pure.

Units and unit amounts are exact, amounts are integers in minor units. Only the amount of a whole
line is rounded, half away from zero. The cap and the minimum come after that.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from billing.numbers import half_away, minus
from billing.periods.shares import share_of_amount
from billing.rating.conversion import Conversion
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
    """A price scheme, the most and the least that it charges for a period, and its units.

    Amounts are in minor units. Without a `conversion`, the scheme prices the meter's units.
    """

    scheme: PriceScheme
    cap_amount: int | None = None
    minimum_amount: int | None = None
    conversion: Conversion | None = None

    def part(self, share: Fraction) -> "Tariff":
        """Returns the tariff for a part of a period: cap and minimum are in proportion to time."""
        if share == 1:
            return self
        cap, minimum = self.cap_amount, self.minimum_amount
        return replace(
            self,
            cap_amount=None if cap is None else share_of_amount(cap, share),
            minimum_amount=None if minimum is None else share_of_amount(minimum, share),
        )

    def amount(self, billable: Decimal) -> int:
        """Returns what the billable units of a period cost.

        It is rounded once, is at most the cap, and at least the minimum.
        """
        units = max(Fraction(0), Fraction(billable))
        if self.conversion is not None:
            units = self.conversion.exact(units)
        amount = half_away(self.scheme.exact_amount(units))
        if self.cap_amount is not None:
            amount = min(amount, self.cap_amount)
        return amount if self.minimum_amount is None else max(amount, self.minimum_amount)

    def converted(self, billable: Decimal) -> Decimal | None:
        """Returns the billable units in the units of the price; None if there is no conversion."""
        return None if self.conversion is None else self.conversion.shown(billable)

    def rate(self, consumed: Decimal, credited: Decimal) -> Rating:
        """Rates a period's usage, less its credit.

        Credit is negative if late usage burned units that were debited since. It counts as zero
        then, so that a debit never causes a charge.
        """
        credited = min(max(credited, Decimal(0)), max(consumed, Decimal(0)))
        billable = max(Decimal(0), minus(consumed, credited))
        return Rating(consumed, credited, billable, self.amount(billable))

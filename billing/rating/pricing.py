"""What a metered price charges: a scheme within limits, applied to usage and credit. Pure.

Units and unit amounts are exact decimals, amounts are integers in minor units. Only the amount of
a whole line is rounded, half away from zero, and then capped.
"""

from dataclasses import dataclass
from decimal import Decimal

from billing.numbers import minus, whole_half_away
from billing.rating.schemes import PriceScheme


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


NOTHING_BILLED = Rating(Decimal(0), Decimal(0), Decimal(0), 0)


@dataclass(frozen=True, slots=True)
class Tariff:
    """A price scheme, and the most that it charges for one period."""

    scheme: PriceScheme
    cap_amount: int | None = None

    def amount(self, billable: Decimal) -> int:
        """Minor units for the billable units of one period, rounded once and then capped."""
        if billable <= 0:
            return 0
        amount = whole_half_away(self.scheme.exact_amount(billable))
        return amount if self.cap_amount is None else min(amount, self.cap_amount)

    def rate(self, consumed: Decimal, credited: Decimal) -> Rating:
        """Rates a period: `consumed` units less all the credit of the period.

        billable = max(0, consumed - credited). Credit can be below zero, where late usage used
        what was debited since. It then counts as none, so that a debit never makes a charge.
        """
        credited = min(max(credited, Decimal(0)), max(consumed, Decimal(0)))
        billable = max(Decimal(0), minus(consumed, credited))
        return Rating(consumed, credited, billable, self.amount(billable))

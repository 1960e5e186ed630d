"""Meter credits: what is left of them at a period's end (design section 7)."""

from dataclasses import dataclass
from decimal import Decimal

from billing.numbers import minus, plus


@dataclass(frozen=True, slots=True)
class Credit:
    """The credit of a customer on a meter in one period, in units.

    `plain` ends with the period and burns first. `rolling` may carry over: grants with rollover,
    credits by hand, and what was carried over into the period.
    """

    plain: Decimal = Decimal(0)
    rolling: Decimal = Decimal(0)

    @property
    def credited(self) -> Decimal:
        """All credit of the period."""
        return plus(self.plain, self.rolling)

    def add(self, *, plain: Decimal = Decimal(0), rolling: Decimal = Decimal(0)) -> "Credit":
        """With more of it, or, below zero, less."""
        return Credit(plus(self.plain, plain), plus(self.rolling, rolling))


def carried_over(credit: Credit, consumed: Decimal) -> Decimal:
    """The units that go over into the next period, never below zero.

    At most the rolling credit, less what the plain credit did not cover.
    """
    left = minus(credit.credited, consumed)
    return max(Decimal(0), min(left, credit.rolling))

"""Discounts: a percentage or an amount off what a subscription is invoiced. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from billing.numbers import amount_problems, decimal_problems
from billing.periods.shares import share_of_amount
from billing.rating.steps import Step, amount_of, per_unit, rounded
from metering.problems import Problem, problem

_WHOLE_PERCENT = 100


@dataclass(frozen=True, slots=True)
class Discount:
    """A percentage, or an amount in minor units: one of the two."""

    percent: Decimal | None = None
    amount: int | None = None

    def problems(self) -> Iterator[Problem]:
        """Yields what is wrong with the discount."""
        percent, amount = self.percent, self.amount
        if percent is not None and amount is not None:
            yield problem("INVALID", "Give percentOff or amountOff, not both.", "amountOff")
        if percent is not None and not 0 < percent <= _WHOLE_PERCENT:
            yield problem("INVALID", "percentOff must be above 0 and at most 100.", "percentOff")
        elif percent is not None:
            yield from decimal_problems(percent, "percentOff")
        if amount is not None and amount < 1:
            yield problem("INVALID", "amountOff must be at least 1.", "amountOff")
        elif amount is not None:
            yield from amount_problems(amount, "amountOff")

    def part(self, share: Fraction) -> "Discount":
        """Returns the discount for a part of a period: an amount is in proportion to time."""
        amount = self.amount
        return self if amount is None else replace(self, amount=share_of_amount(amount, share))

    def off(self, charged: int) -> int:
        """Returns what is taken off an amount: at most all of it."""
        return amount_of(self.steps(charged))

    def steps(self, charged: int) -> tuple[Step, ...]:
        """Returns how what is taken off an amount comes about."""
        if charged <= 0:
            return ()
        if self.percent is not None:
            name, part = f"{self.percent:,f}% of what is charged", Fraction(self.percent)
            return rounded([per_unit(name, part / _WHOLE_PERCENT, Decimal(charged))])
        amount = self.amount or 0
        steps = [Step("Discount", Fraction(amount), flat_amount=amount)]
        if amount > charged:
            steps.append(Step("Above what is charged", Fraction(charged - amount)))
        return tuple(steps)

    def to_json(self) -> dict[str, Any]:
        """Returns the discount as it is stored."""
        if self.percent is None:
            return {"amountOff": self.amount}
        return {"percentOff": format(self.percent, "f")}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Discount":
        """Loads the discount from what `to_json` returned."""
        percent = stored.get("percentOff")
        return cls(None if percent is None else Decimal(percent), stored.get("amountOff"))

"""Applies a metered price to usage and credit: its conversion, scheme, cap and minimum. Pure.

Units and unit amounts are exact, amounts are integers in minor units. Only the amount of a whole
line is rounded, half away from zero. The cap and the minimum come after that. Each amount is the
sum of the steps that are noted on the way.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from functools import reduce
from itertools import zip_longest

from billing.numbers import minus, plus
from billing.periods.shares import share_of_amount
from billing.rating.conversion import Conversion
from billing.rating.schemes import PriceScheme
from billing.rating.steps import Step, amount_of, rounded

COVERED = "Covered by credit"
"""The step of units that credit covers."""


@dataclass(frozen=True, slots=True)
class Rating:
    """The usage of a period, and what it costs.

    `consumed` may be negative. `credited` is the part of it that credit covers. `billable` is
    never negative. `amount` is in minor units. If the price has rates, `rates` has the part of each
    in their order, and then that of all other units; the parts add up to the whole. `steps` are how
    the amount came about; those of a price with rates are in its parts.
    """

    consumed: Decimal
    credited: Decimal
    billable: Decimal
    amount: int
    rates: "tuple[Rating, ...]" = ()
    steps: tuple[Step, ...] = field(default=(), compare=False)

    def less(self, billed: "Rating") -> "Rating":
        """Returns the rating of a correction: this one less what was billed."""
        before = (Step("Billed before", Fraction(-billed.amount)),) if billed.amount else ()
        return Rating(
            consumed=minus(self.consumed, billed.consumed),
            credited=minus(self.credited, billed.credited),
            billable=minus(self.billable, billed.billable),
            amount=self.amount - billed.amount,
            rates=tuple(
                now.less(earlier)
                for now, earlier in zip_longest(self.rates, billed.rates, fillvalue=NOTHING_BILLED)
            ),
            steps=self.steps + before,
        )

    @property
    def free(self) -> "Rating":
        """The same usage at no cost."""
        free = (Step("Free in the trial", Fraction(-self.amount)),) if self.amount else ()
        return replace(
            self, amount=0, rates=tuple(rate.free for rate in self.rates), steps=self.steps + free
        )


def sum_of(rates: Sequence[Rating]) -> Rating:
    """Returns the rating whose parts these are."""
    zero = Decimal(0)
    return Rating(
        consumed=reduce(plus, (rate.consumed for rate in rates), zero),
        credited=reduce(plus, (rate.credited for rate in rates), zero),
        billable=reduce(plus, (rate.billable for rate in rates), zero),
        amount=sum(rate.amount for rate in rates),
        rates=tuple(rates),
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

    def amount(self, billable: Decimal, rate: int | None = None) -> int:
        """Returns what the billable units of a period cost, if all are at one rate.

        It is rounded once, is at most the cap, and at least the minimum.
        """
        scheme = self.scheme if rate is None else self.scheme.at_rate(rate)
        return self._limited([amount_of(self._priced(scheme, billable))])[0]

    def _priced(self, scheme: PriceScheme, billable: Decimal) -> tuple[Step, ...]:
        """Returns the steps from billable units to what they cost, rounded."""
        units, steps = max(Fraction(0), Fraction(billable)), []
        if self.conversion is not None:
            units = self.conversion.exact(units)
            steps.append(Step(self.conversion.description, units=units))
        return rounded(steps + scheme.steps(units))

    def _limited(self, amounts: Sequence[int]) -> list[int]:
        """Returns amounts that add up to at most the cap and at least the minimum.

        The cap cuts the last ones off, and the last one has what lacks to the minimum.
        """
        limited, total = [], 0
        for amount in amounts:
            room = amount if self.cap_amount is None else self.cap_amount - total
            limited.append(min(amount, room))
            total += limited[-1]
        limited[-1] += max(0, (self.minimum_amount or 0) - total)
        return limited

    def converted(self, billable: Decimal) -> Decimal | None:
        """Returns the billable units in the units of the price; None if there is no conversion."""
        return None if self.conversion is None else self.conversion.shown(billable)

    def rate(self, consumed: Decimal, credited: Decimal, by_rate: Sequence[Decimal] = ()) -> Rating:
        """Rates a period's usage, less its credit.

        `by_rate` is the usage of each rate of the price, and of all other units, which use the
        credit in this order.
        """
        return self.rate_pieces([(by_rate or (consumed,), credited)])

    def rate_pieces(self, pieces: Sequence[tuple[Sequence[Decimal], Decimal]]) -> Rating:
        """Rates a period that grants cut into pieces, each with its usage by rate and its credit.

        Credit of a piece covers only the usage of that piece. Usage below zero lowers what the
        period costs, but gives no credit back.
        """
        rates = [NOTHING_BILLED] * len(pieces[0][0])
        for used_by_rate, credit in pieces:
            left = max(credit, Decimal(0))
            for number, consumed in enumerate(used_by_rate):
                if not consumed:  # as in most of 2,000 pieces and 100 rates
                    continue
                covered = min(left, max(consumed, Decimal(0)))
                left = minus(left, covered)
                before = rates[number]
                rates[number] = replace(
                    before,
                    consumed=plus(before.consumed, consumed),
                    credited=plus(before.credited, covered),
                )
        rated = [
            self._rated(rate, number if len(rates) > 1 else None)
            for number, rate in enumerate(rates)
        ]
        limited = self._limited([rate.amount for rate in rated])
        rated = [_limited(rate, amount) for rate, amount in zip(rated, limited, strict=True)]
        return rated[0] if len(rated) == 1 else sum_of(rated)

    def _rated(self, rate: Rating, number: int | None) -> Rating:
        """Prices what is consumed at one rate and not covered."""
        used = max(rate.consumed, Decimal(0))
        credited = min(rate.credited, used)
        billable = minus(used, credited)
        scheme = self.scheme if number is None else self.scheme.at_rate(number)
        steps = (
            *_usage_steps(rate.consumed, used, credited),
            *self._priced(scheme, billable),
        )
        return Rating(rate.consumed, credited, billable, amount_of(steps), steps=steps)


def _usage_steps(consumed: Decimal, used: Decimal, credited: Decimal) -> list[Step]:
    """Returns the steps from what was consumed to what is billable."""
    steps = [Step("Usage", units=Fraction(consumed))]
    if used != consumed:
        steps.append(Step("Usage below zero costs nothing", units=-Fraction(consumed)))
    if credited:
        steps.append(Step(COVERED, units=-Fraction(credited)))
    return steps


def _limited(rating: Rating, amount: int) -> Rating:
    """Returns a rating whose amount the cap or the minimum has changed."""
    difference = Fraction(amount - rating.amount)
    if not difference:
        return rating
    name = "Above the cap" if difference < 0 else "Up to the minimum"
    return replace(rating, amount=amount, steps=(*rating.steps, Step(name, difference)))

"""Applies a metered price to usage and credit: its conversion, scheme, cap and minimum. Pure.

Units and unit amounts are exact, amounts are integers in minor units. Only the amount of a whole
line is rounded, half away from zero. The cap and the minimum come after that.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import reduce
from itertools import zip_longest

from billing.numbers import half_away, minus, plus
from billing.periods.shares import share_of_amount
from billing.rating.conversion import Conversion
from billing.rating.schemes import PriceScheme


@dataclass(frozen=True, slots=True)
class Rating:
    """The usage of a period, and what it costs.

    `consumed` may be negative. `credited` is the part of it that credit covers. `billable` is
    never negative. `amount` is in minor units. If the price has rates, `rates` has the part of each
    in their order, and then that of all other units; the parts add up to the whole.
    """

    consumed: Decimal
    credited: Decimal
    billable: Decimal
    amount: int
    rates: "tuple[Rating, ...]" = ()

    def less(self, billed: "Rating") -> "Rating":
        """Returns the rating of a correction: this one less what was billed."""
        return Rating(
            consumed=minus(self.consumed, billed.consumed),
            credited=minus(self.credited, billed.credited),
            billable=minus(self.billable, billed.billable),
            amount=self.amount - billed.amount,
            rates=tuple(
                now.less(before)
                for now, before in zip_longest(self.rates, billed.rates, fillvalue=NOTHING_BILLED)
            ),
        )

    @property
    def free(self) -> "Rating":
        """The same usage at no cost."""
        return replace(self, amount=0, rates=tuple(rate.free for rate in self.rates))


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
        return self._limited([self._amount_at(scheme, billable)])[0]

    def _amount_at(self, scheme: PriceScheme, billable: Decimal) -> int:
        units = max(Fraction(0), Fraction(billable))
        if self.conversion is not None:
            units = self.conversion.exact(units)
        return half_away(scheme.exact_amount(units))

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

        Credit is negative if late usage burned units that were debited since. It counts as zero
        then, so that a debit never causes a charge. `by_rate` is the usage of each rate of the
        price, and of all other units, which use the credit in this order.
        """
        if by_rate:
            return self._rate_each(by_rate, max(credited, Decimal(0)))
        credited = min(max(credited, Decimal(0)), max(consumed, Decimal(0)))
        billable = max(Decimal(0), minus(consumed, credited))
        return Rating(consumed, credited, billable, self.amount(billable))

    def _rate_each(self, by_rate: Sequence[Decimal], credit: Decimal) -> Rating:
        rates: list[Rating] = []
        for number, consumed in enumerate(by_rate):
            used = max(consumed, Decimal(0))
            credited = min(credit, used)
            credit = minus(credit, credited)
            billable = minus(used, credited)
            amount = self._amount_at(self.scheme.at_rate(number), billable)
            rates.append(Rating(consumed, credited, billable, amount))
        limited = self._limited([rate.amount for rate in rates])
        return sum_of(
            [replace(rate, amount=amount) for rate, amount in zip(rates, limited, strict=True)]
        )

"""Minimums and discounts of subscriptions: lines that follow from all others of a period. Pure.

Late usage changes them as it changes the usage itself: what they are now, less what was billed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from uuid import UUID

from billing.periods.intervals import Period
from billing.rating.discounts import Discount
from billing.rating.lines import Line, LineKind, total
from billing.rating.steps import Step, amount_of, negated


@dataclass(frozen=True, slots=True)
class Minimum:
    """The least that the usage of a period costs, in minor units. Its lines have the price."""

    amount: int
    price_id: UUID


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a usage period of a subscription costs besides the lines of its prices.

    `minimum` is the least that its usage costs. `discount` is taken off its usage, its minimum and
    `charged`, the charges in advance that are invoiced with it. The period itself has an `id` once
    it is closed. `usage_billed` is what invoices have billed for its usage, `minimum_billed` and
    `discount_billed` for the difference to the minimum and for the discount, null before the first.
    """

    id: UUID | None
    period: Period
    minimum: Minimum | None
    discount: Discount | None
    charged: int
    usage_billed: int = 0
    minimum_billed: int | None = None
    discount_billed: int | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """What has been billed with an invoice: the difference to a minimum, and a discount."""

    id: UUID | None
    minimum: int
    discount: int


def charged_in_advance(charges: Iterable[Line]) -> int:
    """Returns what is charged besides usage. What is given back has had its own discount."""
    kinds = {LineKind.FIXED, LineKind.PRORATION}
    return sum(line.amount for line in charges if line.kind in kinds and line.amount > 0)


def settle(
    settlements: Sequence[Settlement], metered: Sequence[Line]
) -> tuple[list[Line], list[Step], list[Settled]]:
    """Returns the lines of minimums, how discounts are taken off, and what is billed then.

    Args:
        settlements: the periods that an invoice bills or corrects.
        metered: the METERED and CORRECTION lines of the invoice.
    """
    lines: list[Line] = []
    settled: list[Settled] = []
    off: list[Step] = []
    for one in settlements:
        own = [line for line in metered if line.period == one.period]
        usage = one.usage_billed + total(own)
        missing = 0 if one.minimum is None else max(0, one.minimum.amount - usage)
        difference = missing - (one.minimum_billed or 0)
        if one.minimum is not None and difference:
            is_first = one.minimum_billed is None
            lines.append(
                Line(
                    LineKind.MINIMUM if is_first else LineKind.CORRECTION,
                    "Minimum" if is_first else "Late usage, minimum",
                    one.minimum.price_id,
                    one.period,
                    difference,
                    steps=_minimum_steps(one.minimum.amount, usage, one.minimum_billed or 0),
                )
            )
        taken = () if one.discount is None else one.discount.steps(usage + missing + one.charged)
        discount, before = amount_of(taken), one.discount_billed or 0
        if discount != before:
            off += taken
            off += [Step("Taken off before", Fraction(-before))] if before else []
        settled.append(Settled(one.id, missing, discount))
    return lines, off, settled


def _minimum_steps(minimum: int, usage: int, before: int) -> tuple[Step, ...]:
    """Returns how the difference to a minimum comes about, less what was billed of it."""
    steps = []
    if usage < minimum:
        steps = [
            Step("Minimum", Fraction(minimum), flat_amount=minimum),
            Step("Charged for usage", Fraction(-usage)),
        ]
    if before:
        steps.append(Step("Billed before", Fraction(-before)))
    return tuple(steps)


def discount_lines(lines: Sequence[Line], off: Sequence[Step]) -> list[Line]:
    """Returns the line by which an invoice takes discounts off the others, if there is one."""
    amount = amount_of(off)
    if amount == 0:
        return []
    first, steps = lines[0].price_id, negated(off)
    return [Line(LineKind.DISCOUNT, "Discount", first, span_of(lines), -amount, steps=steps)]


def span_of(lines: Sequence[Line]) -> Period:
    """Returns the time that lines are about."""
    return Period(min(line.period.start for line in lines), max(line.period.end for line in lines))

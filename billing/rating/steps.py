"""Steps: how an amount comes about, as noted by the code that computes the amount. Pure.

The amounts of the steps of a line add up to its amount. They are exact, so a step can be a fraction
of a minor unit; a step for rounding makes the sum an integer.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from billing.numbers import MAXIMUM_DECIMALS, decimal_of, half_away

ROUNDING = "Rounding"
_NOTHING = Fraction(0)


class Step(NamedTuple):
    """A part of an amount, in minor units.

    `units` are those of the meter, or of the price after a conversion. A step without an amount
    says how units follow from others. `flat_amount` is charged once.
    """

    description: str
    amount: Fraction = _NOTHING
    units: Fraction | None = None
    unit_amount: Decimal | None = None
    flat_amount: int | None = None


def per_unit(description: str, units: Fraction, unit_amount: Decimal, flat_amount: int = 0) -> Step:
    """Returns the step of units that cost the same each, and an amount that is charged once."""
    amount = units * Fraction(unit_amount) + flat_amount
    return Step(description, amount, units, unit_amount, flat_amount or None)


def total_of(steps: Iterable[Step]) -> Fraction:
    """Returns what steps add up to, in minor units."""
    return sum((step.amount for step in steps), _NOTHING)


def amount_of(steps: Iterable[Step]) -> int:
    """Returns the amount of a line with these steps, which are rounded, in minor units."""
    return int(total_of(steps))


def rounded(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Adds the step that rounds what steps add up to, half away from zero."""
    exact = total_of(steps)
    difference = half_away(exact) - exact
    return (*steps, Step(ROUNDING, difference)) if difference else tuple(steps)


def negated(steps: Iterable[Step]) -> tuple[Step, ...]:
    """Returns steps that take off what these add up to."""
    return tuple(
        Step(
            step.description,
            -step.amount,
            None if step.units is None else -step.units,
            step.unit_amount,
            None if step.flat_amount is None else -step.flat_amount,
        )
        for step in steps
    )


def share_steps(amount: int, quantity: int, of: Fraction) -> tuple[Step, ...]:
    """Returns the steps of a share of what a whole period costs; a negative share gives it back."""
    sign = -1 if of < 0 else 1
    steps = [per_unit("A whole period", Fraction(sign * quantity), Decimal(amount))]
    others = 1 - abs(of)
    if others:
        percent = _text(_readable(others * 100, 4))
        name = f"The rest of the period, {percent}% of its time"
        steps.append(Step(name, -others * steps[0].amount))
    return rounded(steps)


def shown(steps: Sequence[Step]) -> list[Step]:
    """Returns the steps with decimals for people and clients; they add up to the same.

    Numbers with endless decimals are rounded to 12, and the step for rounding makes up for it.
    """
    found = [
        step._replace(
            amount=_readable(step.amount),
            units=None if step.units is None else _readable(step.units),
        )
        for step in steps
    ]
    rest = total_of(steps) - total_of(found)
    if rest:
        last = found.pop() if found[-1].description == ROUNDING else Step(ROUNDING)
        found.append(last._replace(amount=last.amount + rest))
    return found


def exact_decimal(value: Fraction) -> Decimal:
    """Returns a number of `shown` steps as a decimal."""
    return decimal_of(value, _decimals(value) or 0)


def steps_to_json(steps: Sequence[Step]) -> list[list[Any]]:
    """Returns steps as they are stored."""
    return [
        [
            step.description,
            _text(step.amount),
            None if step.units is None else _text(step.units),
            None if step.unit_amount is None else format(step.unit_amount, "f"),
            step.flat_amount,
        ]
        for step in shown(steps)
    ]


def steps_from_json(stored: Sequence[Sequence[Any]]) -> tuple[Step, ...]:
    """Loads steps from what `steps_to_json` returned."""
    return tuple(
        Step(
            description,
            Fraction(amount),
            None if units is None else Fraction(units),
            None if unit_amount is None else Decimal(unit_amount),
            flat_amount,
        )
        for description, amount, units, unit_amount, flat_amount in stored
    )


def _text(value: Fraction) -> str:
    return format(exact_decimal(value), "f")


def _readable(value: Fraction, decimals: int = MAXIMUM_DECIMALS) -> Fraction:
    """Returns the number, rounded if it has endless decimals."""
    if _decimals(value) is not None:
        return value
    return Fraction(half_away(value * 10**decimals), 10**decimals)


def _decimals(value: Fraction) -> int | None:
    """Returns how many decimals a number has; None if they never end."""
    rest, powers = value.denominator, []
    for factor in (2, 5):
        power = 0
        while rest % factor == 0:
            rest, power = rest // factor, power + 1
        powers.append(power)
    return max(powers) if rest == 1 else None

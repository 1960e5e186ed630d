"""Shares of a period, for what is charged or granted in proportion to time: exact fractions. Pure.

A share is rounded only when it becomes minor units or units of a meter, half away from zero.
"""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

from billing.numbers import decimal_of, half_away
from billing.periods.intervals import Period

_MICROSECOND = timedelta(microseconds=1)
_UNIT_DECIMALS = 6

WHOLE = Fraction(1)
"""The share of a whole period."""


def share(part: Period, whole: Period) -> Fraction:
    """Returns how much of `whole` is in `part`, by their lengths in microseconds."""
    return Fraction(_microseconds(part), _microseconds(whole))


def share_of_amount(amount: int, of: Fraction) -> int:
    """Returns the share of an amount in minor units."""
    return half_away(amount * of)


def share_of_units(units: Decimal, of: Fraction) -> Decimal:
    """Returns the share of a number of units, to six decimals. A whole stays as it is."""
    if of == WHOLE:
        return units
    return decimal_of(Fraction(units) * of, _UNIT_DECIMALS)


def _microseconds(period: Period) -> int:
    return (period.end - period.start) // _MICROSECOND

"""Units, amounts and currencies: exact arithmetic, and the values that inputs may have."""

from collections.abc import Iterator
from decimal import Context, Decimal, Inexact
from fractions import Fraction
from xml.etree.ElementTree import Element

import iso4217

from metering.problems import Problem, problem

MAXIMUM_DECIMALS = 12
MAXIMUM_AMOUNT = 10**15  # minor units
MAXIMUM_UNITS = Decimal(10) ** 30

LARGEST_AMOUNT = 2**53 - 1
"""Minor units. JavaScript, and many JSON parsers, round larger integers."""

# The list has these two as currencies, but nobody pays in them.
_UNITS_OF_ACCOUNT = {"UYW", "XAD"}


def _circulates(entry: Element) -> bool:
    """Returns False for funds, and for metals and test codes, which have no minor unit."""
    is_fund = entry.find("CcyNm[@IsFund='true']") is not None
    return not is_fund and entry.findtext("CcyMnrUnts", "").isdigit()


_ENTRIES: list[Element] = iso4217.raw_xml.findall("CcyTbl/CcyNtry")

CURRENCIES = frozenset(
    entry.findtext("Ccy", "") for entry in _ENTRIES if _circulates(entry)
).difference(_UNITS_OF_ACCOUNT)
"""The currencies of ISO 4217 that people pay in."""

# Quantities have at most 38 digits within 10^±30, so their sums and products fit easily. A result
# that would not fit raises Inexact instead of being rounded.
_DIGITS = 2_000
_EXACT = Context(prec=_DIGITS)
_EXACT.traps[Inexact] = True


def plus(first: Decimal, second: Decimal) -> Decimal:
    """Returns the exact sum."""
    return _EXACT.add(first, second)


def minus(first: Decimal, second: Decimal) -> Decimal:
    """Returns the exact difference."""
    return _EXACT.subtract(first, second)


def times(value: Decimal, number: int) -> Decimal:
    """Returns the exact product."""
    return _EXACT.multiply(value, Decimal(number))


def half_away(value: Fraction) -> int:
    """Returns the nearest integer. A half is rounded away from zero."""
    magnitude = (2 * abs(value.numerator) + value.denominator) // (2 * value.denominator)
    return -magnitude if value < 0 else magnitude


def decimal_of(value: Fraction, decimals: int) -> Decimal:
    """Returns a number rounded to so many decimals, half away from zero."""
    scaled = half_away(value * 10**decimals)
    digits = tuple(int(digit) for digit in str(abs(scaled)))
    # Not by arithmetic of decimals, which would round to 28 digits.
    return Decimal((int(scaled < 0), digits, -decimals))


def decimal_problems(value: Decimal, *path: str | int) -> Iterator[Problem]:
    """Yields what is wrong with the size or the precision of a decimal of any sign."""
    decimals = len(format(value, "f").partition(".")[2].rstrip("0"))
    if abs(value) > MAXIMUM_UNITS:
        yield problem("LIMIT_EXCEEDED", f"{path[-1]} must lie within ±{MAXIMUM_UNITS:.0e}.", *path)
    elif decimals > MAXIMUM_DECIMALS:
        message = f"{path[-1]} may have at most {MAXIMUM_DECIMALS} decimals."
        yield problem("INVALID", message, *path)


def units_problems(units: Decimal, *path: str | int) -> Iterator[Problem]:
    """Yields what is wrong with a number of units, which must be above zero."""
    if units <= 0:
        yield problem("INVALID", f"{path[-1]} must be above zero.", *path)
    yield from decimal_problems(units, *path)


def amount_problems(value: int | Decimal, *path: str | int) -> Iterator[Problem]:
    """Yields what is wrong with an amount in minor units, which must not be below zero."""
    if value < 0:
        yield problem("INVALID", f"{path[-1]} must not be below zero.", *path)
    elif value > MAXIMUM_AMOUNT:
        yield problem("LIMIT_EXCEEDED", f"{path[-1]} must be at most {MAXIMUM_AMOUNT:,}.", *path)


def unit_amount_problems(value: Decimal, *path: str | int) -> Iterator[Problem]:
    """Yields what is wrong with the amount of one unit, which may be a fraction of a minor unit."""
    yield from amount_problems(value, *path)
    yield from decimal_problems(value, *path)

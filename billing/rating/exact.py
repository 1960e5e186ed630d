"""Exact decimal arithmetic: no step rounds, but the one that says so."""

from decimal import ROUND_HALF_UP, Context, Decimal, Inexact

# Quantities have at most 38 digits within 10^±30 each; sums and products of them fit with room.
# A result that would not is an error (Inexact), never silently another number.
_DIGITS = 2_000
_EXACT = Context(prec=_DIGITS)
_EXACT.traps[Inexact] = True
_ROUNDING = Context(prec=_DIGITS)


def plus(first: Decimal, second: Decimal) -> Decimal:
    """The exact sum."""
    return _EXACT.add(first, second)


def minus(first: Decimal, second: Decimal) -> Decimal:
    """The exact difference."""
    return _EXACT.subtract(first, second)


def times(first: Decimal, second: Decimal) -> Decimal:
    """The exact product."""
    return _EXACT.multiply(first, second)


def whole_half_away(value: Decimal) -> int:
    """The nearest integer; a half goes away from zero."""
    return int(value.to_integral_value(ROUND_HALF_UP, _ROUNDING))


def started(value: Decimal, size: Decimal) -> int:
    """How many portions of `size` it takes to hold `value`; both are above zero."""
    portions, rest = _ROUNDING.divmod(value, size)
    return int(portions) + (1 if rest else 0)

"""Shares of a period: exact, and rounded half away from zero at the end."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.periods.intervals import Period
from billing.periods.shares import WHOLE, share, share_of_amount, share_of_units

APRIL = Period(datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC))


def test_a_share_is_exact_to_the_microsecond() -> None:
    assert share(Period(datetime(2026, 4, 11, tzinfo=UTC), APRIL.end), APRIL) == Fraction(2, 3)
    one = Period(APRIL.end - timedelta(microseconds=1), APRIL.end)
    assert share(one, APRIL) == Fraction(1, 30 * 86_400 * 1_000_000)
    assert share(APRIL, APRIL) == WHOLE
    assert share(Period(APRIL.start, APRIL.start), APRIL) == 0


@pytest.mark.parametrize(
    ("amount", "of", "expected"),
    [
        (1000, Fraction(2, 3), 667),
        (1, Fraction(1, 2), 1),
        (-1, Fraction(1, 2), -1),
        (3, Fraction(1, 2), 2),
        (-3, Fraction(1, 2), -2),
        (5, Fraction(49, 100), 2),
        (0, Fraction(1, 3), 0),
        (2**53 - 1, WHOLE, 2**53 - 1),
    ],
)
def test_amounts_are_rounded_half_away_from_zero(amount: int, of: Fraction, expected: int) -> None:
    assert share_of_amount(amount, of) == expected


@pytest.mark.parametrize(
    ("units", "of", "expected"),
    [
        ("100", Fraction(1, 3), "33.333333"),
        ("100", Fraction(2, 3), "66.666667"),
        ("0.000001", Fraction(1, 2), "0.000001"),
        ("-0.000001", Fraction(1, 2), "-0.000001"),
        ("0.000001", Fraction(1, 3), "0"),
        ("0.123456789012", WHOLE, "0.123456789012"),
        (
            "1000000000000000000000000000000",
            Fraction(1, 3),
            "333333333333333333333333333333.333333",
        ),
    ],
)
def test_units_are_rounded_to_six_decimals(units: str, of: Fraction, expected: str) -> None:
    assert share_of_units(Decimal(units), of) == Decimal(expected)


@given(st.integers(-(10**15), 10**15), st.fractions(0, 1, max_denominator=10**14))
def test_no_share_is_off_by_more_than_a_half(amount: int, of: Fraction) -> None:
    assert abs(share_of_amount(amount, of) - amount * of) <= Fraction(1, 2)
    assert share_of_amount(-amount, of) == -share_of_amount(amount, of)

"""Numbers as text, and which text is a number."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metering.language.numerics import number_of_text, text_of_number
from tests.reference.strategies import NUMBERS, STRINGS, strings
from tests.reference.values import number_in_string


@pytest.mark.parametrize("text", STRINGS, ids=lambda text: text[:40])
def test_the_rule_is_that_of_the_reference(text: str) -> None:
    assert number_of_text(text) == number_in_string(text)


@given(strings | st.from_regex(r"-?[0-9]{1,3}(\.[0-9]{1,3})?([eE][-+]?[0-9]{1,5})?"))
def test_the_rule_is_that_of_the_reference_for_any_text(text: str) -> None:
    assert number_of_text(text) == number_in_string(text)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("0", "0"),
        ("-0", "0"),
        ("-0.00", "0"),
        ("0E+5", "0"),
        ("12.50", "12.5"),
        ("1E+3", "1000"),
        ("100", "100"),
        ("-1E-7", "-0.0000001"),
    ],
)
def test_numbers_are_written_in_fixed_point_notation(number: str, text: str) -> None:
    assert text_of_number(Decimal(number)) == text


@pytest.mark.parametrize("number", NUMBERS, ids=str)
def test_the_text_of_a_number_is_that_number(number: Decimal) -> None:
    assert number_of_text(text_of_number(number)) == number

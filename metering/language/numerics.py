"""Which strings are numbers: one rule, in Python for what filters say, in SQL for what events hold.

A string is a number when it is written in JSON's number grammar (RFC 8259, section 6) and stays
within the limits of a metadata number: at most 38 significant digits, a decimal exponent within
±30. Otherwise it is a mere string. Why: docs/decisions/0007-which-strings-are-numbers.md.
"""

import re
from decimal import Decimal

from metering.language.metadata import MAXIMUM_DIGITS, MAXIMUM_EXPONENT, MAXIMUM_STRING

# Written exponents of five digits can only be of numbers outside the limits; refusing them in the
# grammar keeps the cast to numeric from overflowing.
_GRAMMAR = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]{1,4})?$"
_PATTERN = re.compile(_GRAMMAR)


def number_of_text(text: str) -> Decimal | None:
    """The number that a string writes; None where it is a mere string."""
    # The pattern's $ would let a line feed pass at the end; fullmatch does not.
    if len(text) > MAXIMUM_STRING or not _PATTERN.fullmatch(text):
        return None
    number = Decimal(text)
    if not number:
        return Decimal(0)
    if len(number.as_tuple().digits) > MAXIMUM_DIGITS or abs(number.adjusted()) > MAXIMUM_EXPONENT:
        return None
    return number


def text_of_number(number: Decimal) -> str:
    """Fixed-point notation without trailing zeros, such as `12.5`; never an exponent or `-0`."""
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def numeric_of_text_sql(text: str) -> str:
    """SQL for `number_of_text` of the text expression: numeric, or NULL.

    Never raises, whatever the text: every cast stands in a CASE behind the test that makes it safe.
    """
    significant = f"length(ltrim(split_part(translate({text}, 'E-.', 'e'), 'e', 1), '0'))"
    magnitude = f"abs(({text})::numeric)"
    return (
        f"CASE WHEN octet_length({text}) <= {MAXIMUM_STRING}"
        f""" AND ({text}) COLLATE "C" ~ '{_GRAMMAR}'"""
        f" AND {significant} <= {MAXIMUM_DIGITS}"
        f" THEN CASE WHEN {magnitude} = 0"
        f" OR {magnitude} >= 1e-{MAXIMUM_EXPONENT} AND {magnitude} < 1e{MAXIMUM_EXPONENT + 1}"
        f" THEN ({text})::numeric END END"
    )


def numeric_of_json_sql(value: str, text: str) -> str:
    """SQL for the numeric that a jsonb expression holds (`text` is its text): numeric, or NULL.

    The type is asked first, so that plain numbers never pay for the grammar.
    """
    return (
        f"CASE jsonb_typeof({value}) WHEN 'number' THEN ({value})::numeric"
        f" WHEN 'string' THEN {numeric_of_text_sql(text)} END"
    )

"""Decides which strings are numbers: in Python for filters, in SQL for events, by one rule.

A string is a number if it follows JSON's grammar of numbers (RFC 8259, section 6) and the limits of
numbers in metadata: at most 38 significant digits and a decimal exponent within ±30. See
docs/decisions/0007-which-strings-are-numbers.md.
"""

import re
from decimal import Decimal

from metering.language.metadata import MAXIMUM_DIGITS, MAXIMUM_EXPONENT, MAXIMUM_STRING

# A number with a written exponent of five digits is outside the limits. Because the grammar refuses
# it, the cast to numeric cannot overflow.
_GRAMMAR = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]{1,4})?$"
_PATTERN = re.compile(_GRAMMAR)


def number_of_text(text: str) -> Decimal | None:
    """Parses a string as a number; None if it is not one."""
    # Unlike fullmatch, the pattern's $ would accept a line feed at the end.
    if len(text) > MAXIMUM_STRING or not _PATTERN.fullmatch(text):
        return None
    number = Decimal(text)
    if not number:
        return Decimal(0)
    if len(number.as_tuple().digits) > MAXIMUM_DIGITS or abs(number.adjusted()) > MAXIMUM_EXPONENT:
        return None
    return number


def text_of_number(number: Decimal) -> str:
    """Writes a number such as `12.5`: no exponent, no trailing zeros, no `-0`."""
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def numeric_of_text_sql(text: str) -> str:
    """SQL that does what `number_of_text` does: numeric, or NULL.

    It never raises: every cast stands in a CASE behind the test that makes it safe.
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
    """SQL for the number in a jsonb expression, whose text is `text`: numeric, or NULL.

    It tests the type first, so that JSON numbers skip the grammar.
    """
    return (
        f"CASE jsonb_typeof({value}) WHEN 'number' THEN ({value})::numeric"
        f" WHEN 'string' THEN {numeric_of_text_sql(text)} END"
    )

"""The custom scalars: instants with an offset, exact numbers, JSON without floats.

Each is bound to a Python type in SCALARS. A parser gets a JSON value, in which numbers with a
fraction are Decimals (see `transport.http`), and raises GraphQLError with a sentence for the
caller.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NewType

import orjson
import strawberry
import structlog
from graphql import (
    BooleanValueNode,
    FloatValueNode,
    GraphQLError,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    StringValueNode,
    ValueNode,
    VariableNode,
)
from strawberry.types.scalar import ScalarDefinition

from billing.numbers import CURRENCIES, LARGEST_AMOUNT
from metering.language.instants import parse_instant
from models import exact_json
from schema.errors import Internal

_log = structlog.get_logger("metergraph.graphql")

BigInt = NewType("BigInt", int)
JSONObject = NewType("JSONObject", dict[str, Any])
ClauseValue = NewType("ClauseValue", object)  # str, int, Decimal or bool
CurrencyCode = NewType("CurrencyCode", str)

INTEGER_DIGITS = 38
FRACTION_DIGITS = 30
_FIXED_POINT = re.compile(r"-?[0-9]{1,38}(?:\.[0-9]{1,30})?", re.ASCII)
_DIGITS_OF_AN_INTEGER = 4300  # Python refuses to parse longer ones, and so do we
_SHOWN = 60  # characters of a refused value
_SHOWN_BITS = 190  # of an integer of fewer characters


def _shown(value: object) -> str:  # noqa: PLR0911  # a value has as many kinds
    """Writes a value as JSON for a message, instead of Python's `True` or `Decimal`, and shortened.

    A long value is cut first, because writing it out would take time.
    """
    match value:
        case str():
            return _cut(repr(value[:_SHOWN]))
        case None | bool():
            return {None: "null", True: "true", False: "false"}[value]
        case float():
            return repr(value)
        case int() if value.bit_length() < _SHOWN_BITS:
            return str(value)
        case Decimal() if value.is_finite():
            return _cut(str(value))
        case int() | Decimal():
            return "a number beyond all bounds"
        case list():
            return "a list"
        case _:
            return "an object"


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


# ---------------------------------------------------------------- DateTime


def parse_datetime(value: Any) -> datetime:
    """Reads ISO 8601 with an offset; the result is in UTC, to the microsecond."""
    try:
        return parse_instant(value)
    except ValueError as error:
        raise GraphQLError(f"DateTime {error}: {_shown(value)}") from None


def print_datetime(value: datetime) -> str:
    """Writes ISO 8601 in UTC with Z, and with microseconds only if there are any."""
    instant = value if value.tzinfo is UTC else value.astimezone(UTC)
    # With quotes. This takes a third of the time of `isoformat`.
    return orjson.dumps(instant, option=orjson.OPT_UTC_Z)[1:-1].decode()


# ---------------------------------------------------------------- numbers


def parse_decimal(value: Any) -> Decimal:
    """Reads fixed-point text, an integer, or a JSON number whose digits were kept."""
    if isinstance(value, str):
        if not _FIXED_POINT.fullmatch(value):
            raise GraphQLError(
                'Decimal must be fixed-point text such as "12.5", with at most '
                f"{INTEGER_DIGITS} digits before and {FRACTION_DIGITS} after the point: "
                f"{_shown(value)}"
            )
        return Decimal(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise GraphQLError(f'Decimal must be a string such as "12.5": {_shown(value)}')
    return _bounded(Decimal(value))


def _bounded(number: Decimal) -> Decimal:
    exponent = number.as_tuple().exponent
    if (
        not isinstance(exponent, int)
        or number.adjusted() >= INTEGER_DIGITS
        or exponent < -FRACTION_DIGITS
    ):
        raise GraphQLError(
            f"Decimal may have at most {INTEGER_DIGITS} digits before and "
            f"{FRACTION_DIGITS} after the point"
        )
    return number


def print_decimal(value: Decimal | int) -> str:
    """Writes fixed-point text with every digit and without trailing zeros: 12.5, 0, -3."""
    text = format(value if type(value) is Decimal else Decimal(value), "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def parse_bigint(value: Any) -> int:
    """Reads a JSON integer within 64 bits."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise GraphQLError(
            "BigInt must be a number without quotes, point or exponent, such as 12: "
            + _shown(value)
        )
    if not -(2**63) <= value < 2**63:
        raise GraphQLError("BigInt must fit into 64 bits")
    return value


def print_bigint(value: int) -> int:
    """Returns the integer, which must be small enough for JavaScript to read exactly."""
    number = int(value)
    if abs(number) > LARGEST_AMOUNT:
        _log.error("integer beyond what clients read exactly", value=number)
        raise Internal(f"{number:,} is beyond ±{LARGEST_AMOUNT:,}: clients would misread it")
    return number


# ---------------------------------------------------------------- JSON


def parse_json_object(value: Any) -> dict[str, Any]:
    """Takes a JSON object as it is; numbers in it are int or Decimal."""
    if not isinstance(value, dict):
        raise GraphQLError(f"JSONObject must be a JSON object: {_shown(value)}")
    return value


def parse_clause_value(value: Any) -> str | int | Decimal | bool:
    """Takes a JSON string, number or boolean."""
    if isinstance(value, str | int | Decimal):  # bool is an int
        return value
    raise GraphQLError(f"ClauseValue must be a string, a number or a boolean: {_shown(value)}")


def parse_currency(value: Any) -> str:
    """Reads the code of a currency that is in circulation."""
    if isinstance(value, str) and value in CURRENCIES:
        return value
    raise GraphQLError(
        "CurrencyCode must be the ISO 4217 code of a currency in circulation, in capitals, such as"
        f" USD: {_shown(value)}"
    )


def json_of_literal(  # noqa: PLR0911  # a literal has as many kinds
    node: ValueNode, variables: dict[str, Any] | None = None
) -> Any:
    """The JSON value of a literal in the document, every digit kept."""
    match node:
        case StringValueNode() | BooleanValueNode():
            return node.value
        case IntValueNode():
            if len(node.value) > _DIGITS_OF_AN_INTEGER:
                raise GraphQLError(f"An integer has more than {_DIGITS_OF_AN_INTEGER} digits")
            return int(node.value)
        case FloatValueNode():
            return exact_json.number(node.value)
        case NullValueNode():
            return None
        case ListValueNode():
            return [json_of_literal(item, variables) for item in node.values]
        case ObjectValueNode():
            return {
                field.name.value: json_of_literal(field.value, variables) for field in node.fields
            }
        case VariableNode():
            return (variables or {}).get(node.name.value)
        case _:
            raise GraphQLError("An enum value is not JSON: put it in quotes")


def _literal(parse: Callable[[Any], Any]) -> Callable[..., Any]:
    def parse_literal(node: ValueNode, variables: dict[str, Any] | None = None) -> Any:
        try:
            return parse(json_of_literal(node, variables))
        except GraphQLError as error:
            raise GraphQLError(error.message, node) from None

    return parse_literal


def _scalar(
    name: str,
    description: str,
    parse: Callable[[Any], Any],
    serialize: Callable[[Any], Any],
    specification: str | None = None,
) -> ScalarDefinition:
    return strawberry.scalar(
        name=name,
        description=description,
        specified_by_url=specification,
        parse_value=parse,
        parse_literal=_literal(parse),
        serialize=serialize,
    )


def _same(value: Any) -> Any:
    return value


SCALARS: dict[object, ScalarDefinition] = {
    datetime: _scalar(
        "DateTime",
        "An instant in ISO 8601 with an offset. A value without an offset is rejected. Returned "
        "values are in UTC.",
        parse_datetime,
        print_datetime,
    ),
    Decimal: _scalar(
        "Decimal",
        "An exact decimal number, as a string in fixed-point notation without trailing zeros, "
        'such as "12.5". JSON integers are accepted too; NaN and Infinity are not.',
        parse_decimal,
        print_decimal,
    ),
    BigInt: _scalar(
        "BigInt",
        "An integer that may exceed 32 bits, as a JSON number. Returned values are within "
        "±9,007,199,254,740,991, so JavaScript reads them exactly.",
        parse_bigint,
        print_bigint,
    ),
    JSONObject: _scalar("JSONObject", "A JSON object.", parse_json_object, _same),
    ClauseValue: _scalar(
        "ClauseValue", "A JSON string, number or boolean.", parse_clause_value, _same
    ),
    CurrencyCode: _scalar(
        "CurrencyCode",
        "The three-letter ISO 4217 code of a currency in circulation, in capitals, such as USD. "
        "Codes for funds, metals and testing are rejected.",
        parse_currency,
        str,
    ),
}

"""What JSON values mean, in plain Python: written from the design, without the code under test."""

import json
from decimal import Decimal
from typing import Any

DIGITS = "0123456789"


def parse_json(text: str) -> Any:
    """JSON with every number a Decimal, so that True is no number and 1.0 is 1."""
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


def read_digits(text: str, position: int) -> int:
    """The position after the digits that stand at `position`."""
    while position < len(text) and text[position] in DIGITS:
        position += 1
    return position


def number_in_string(text: str) -> Decimal | None:
    """A scanner of RFC 8259's number grammar, with the limits of a metadata number."""
    start = 1 if text.startswith("-") else 0
    whole = read_digits(text, start)
    end = read_digits(text, whole + 1) if text[whole : whole + 1] == "." else whole
    mantissa = text[start:end].replace(".", "").lstrip("0")
    is_number = whole > start and (text[start] != "0" or whole == start + 1) and end != whole + 1
    if text[end : end + 1] in {"e", "E"}:
        first = end + 2 if text[end + 1 : end + 2] in {"+", "-"} else end + 1
        end = read_digits(text, first)
        is_number = is_number and 1 <= end - first <= 4
    if not is_number or end != len(text) or len(text) > 1_000:
        return None
    if not mantissa:
        return Decimal(0)
    number = Decimal(text)
    small, large = Decimal("1e-30"), Decimal("1e31")
    return number if len(mantissa) <= 38 and small <= number.copy_abs() < large else None


def numeric(value: Any) -> Decimal | None:
    """The number that a JSON value is, or that it writes as a string."""
    if isinstance(value, Decimal):
        return value
    return number_in_string(value) if isinstance(value, str) else None


def property_of(event: dict[str, Any], name: str) -> Any:
    """The property of an event as a JSON value; None where it is missing. Not for timestamp."""
    if name == "name":
        return event["name"]
    metadata = event["metadata"]
    path = name.removeprefix("metadata.")
    if metadata.get(path) is not None:
        return metadata[path]
    found = metadata
    for key in path.split("."):
        found = found.get(key) if isinstance(found, dict) else None
    return found


def frozen(value: Any) -> Any:
    """A hashable value that is equal for equal JSON values of equal types only."""
    match value:
        case bool():
            return ("boolean", value)
        case Decimal():
            return ("number", value)
        case str():
            return ("string", value)
        case list():
            return ("array", tuple(frozen(item) for item in value))
        case dict():
            return ("object", frozenset((key, frozen(item)) for key, item in value.items()))
        case _:
            return ("null",)

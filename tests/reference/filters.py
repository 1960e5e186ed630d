"""The reference evaluator of filters: a filter as plain JSON, an event as a dict, true or false.

Events have name, timestamp (aware) and metadata as `values.parse_json` reads it.
"""

import operator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.reference.values import number_in_string, numeric, property_of

ORDERINGS = {
    "GREATER_THAN": operator.gt,
    "GREATER_THAN_OR_EQUALS": operator.ge,
    "LESS_THAN": operator.lt,
    "LESS_THAN_OR_EQUALS": operator.le,
}


def matches(filter_: dict[str, Any], event: dict[str, Any]) -> bool:
    """Whether the filter matches the event."""
    results = [
        matches(node["filter"], event)
        if "filter" in node
        else clause_matches(node["clause"], event)
        for node in filter_["clauses"]
    ]
    if not results:
        return True
    return all(results) if filter_["conjunction"] == "AND" else any(results)


def clause_value(clause: dict[str, Any]) -> str | bool | Decimal:
    """The typed value of a clause that has `value` or `text`."""
    if "text" in clause:
        text = str(clause["text"])
        if clause["operator"] in {"CONTAINS", "NOT_CONTAINS"}:
            return text
        number = number_in_string(text)
        if number is not None:
            return number
        return {"true": True, "false": False}.get(text, text)
    value = clause["value"]
    if isinstance(value, bool | str):
        return value
    return Decimal(str(value))


def clause_matches(clause: dict[str, Any], event: dict[str, Any]) -> bool:
    """Whether one clause matches the event."""
    name, asked, value = clause["property"], clause["operator"], clause_value(clause)
    if name == "timestamp":
        return instant_matches(asked, event["timestamp"], instant(value))
    found = property_of(event, name)
    match asked:
        case "EQUALS":
            return equals(found, value)
        case "NOT_EQUALS":
            return not equals(found, value)
        case "CONTAINS":
            return contains(found, value)
        case "NOT_CONTAINS":
            return not contains(found, value)
        case _:
            return ordered(asked, found, value)


def equals(found: Any, value: str | bool | Decimal) -> bool:
    """EQUALS: by value for numbers, the word too for booleans, only strings for strings."""
    if isinstance(value, bool):
        return found is value or found == ("true" if value else "false")
    if isinstance(value, Decimal):
        return numeric(found) == value
    return isinstance(found, str) and found == value


def ordered(asked: str, found: Any, value: str | bool | Decimal) -> bool:
    """The four orderings; Python orders strings by code point."""
    compare = ORDERINGS[asked]
    if isinstance(value, Decimal):
        number = numeric(found)
        return number is not None and bool(compare(number, value))
    return isinstance(found, str) and bool(compare(found, value))


def contains(found: Any, value: str | bool | Decimal) -> bool:
    """CONTAINS: the value's text within a string, or an element of an array that equals it."""
    if isinstance(found, str):
        return text_of(value) in found
    return isinstance(found, list) and any(equals(element, value) for element in found)


def text_of(value: str | bool | Decimal) -> str:
    """The text of a value: numbers in fixed-point notation, without zeros that say nothing."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    sign = "-" if value < 0 else ""
    whole, _, fraction = format(value.copy_abs(), "f").partition(".")
    fraction = fraction.rstrip("0")
    return sign + whole + ("." + fraction if fraction else "")


def instant(value: str | bool | Decimal) -> datetime:
    """The instant that a value on timestamp means."""
    if isinstance(value, Decimal):
        epoch = datetime(1970, 1, 1, tzinfo=UTC)
        return epoch + timedelta(microseconds=int(Fraction(value) * 1_000_000))
    return datetime.fromisoformat(str(value))


def instant_matches(asked: str, found: datetime, value: datetime) -> bool:
    """A comparison of instants."""
    if asked in ORDERINGS:
        return bool(ORDERINGS[asked](found, value))
    return (found == value) is (asked == "EQUALS")

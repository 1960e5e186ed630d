"""The enums that the API shares with what it is made of: described here, defined there."""

import enum
from typing import TypeVar

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition

from metering.ingest.storing import InvalidEventPolicy, ReceiptStatus
from metering.language.aggregations import AggregationFunction
from metering.language.filters import ClauseOperator, Conjunction
from metering.usage.windows import Interval

E = TypeVar("E", bound=enum.Enum)


def described(
    enum_class: type[E], description: str, values: dict[str, str], name: str | None = None
) -> type[E]:
    """Makes an enum of the domain one of the API; every value needs a description."""
    strawberry.enum(enum_class, name=name, description=description)
    definition: StrawberryEnumDefinition = enum_class.__strawberry_definition__  # type: ignore[attr-defined]  # put there by the line above
    for value in definition.values:
        value.description = values[value.name]
    return enum_class


described(
    Conjunction,
    "How the clauses of a filter are joined.",
    {"AND": "Every clause must be true.", "OR": "At least one clause must be true."},
)
described(
    ClauseOperator,
    "How a clause compares an event's property with its value.",
    {
        "EQUALS": "Equal: numbers by value (1, 1.0 and the text 1 are equal), booleans also to the "
        "texts true and false, strings only to themselves.",
        "NOT_EQUALS": "The exact opposite of EQUALS; also true where the property is missing.",
        "GREATER_THAN": "Greater: numbers by value, strings by code point. False where the "
        "property is missing or of another kind.",
        "GREATER_THAN_OR_EQUALS": "Greater or equal, as GREATER_THAN compares.",
        "LESS_THAN": "Less, as GREATER_THAN compares.",
        "LESS_THAN_OR_EQUALS": "Less or equal, as GREATER_THAN compares.",
        "CONTAINS": "A string with the value in it, or an array with an element equal to it.",
        "NOT_CONTAINS": "The exact opposite of CONTAINS; also true where the property is missing.",
    },
)
described(
    AggregationFunction,
    "What a meter makes of the events that pass its filter.",
    {
        "COUNT": "How many there are.",
        "SUM": "The sum of a property's numbers; 0 over nothing.",
        "AVERAGE": "The average of a property's numbers; null over nothing.",
        "MINIMUM": "The least of a property's numbers; null over nothing.",
        "MAXIMUM": "The greatest of a property's numbers; null over nothing.",
        "UNIQUE": "How many different values a property has; 0 over nothing.",
        "LATEST": "The number of the event that happened last; null over nothing.",
    },
)
described(
    Interval,
    "How long each point of a series is, by the calendar of a time zone.",
    {
        "HOUR": "From each full hour.",
        "DAY": "From midnight.",
        "WEEK": "From Monday at midnight.",
        "MONTH": "From the first of the month at midnight.",
        "YEAR": "From January 1 at midnight.",
    },
)
described(
    InvalidEventPolicy,
    "What becomes of a call's valid events when others are invalid.",
    {
        "REJECT_BATCH": "Nothing is stored; every invalid event is reported.",
        "SKIP_INVALID": "The valid events are stored; the others are reported.",
    },
)
described(
    ReceiptStatus,
    "What became of one event of a call.",
    {
        "INSERTED": "Stored; the meters will count it.",
        "DUPLICATE": "The same event is stored already.",
        "CONFLICT": "Another event holds this externalId: nothing is stored.",
        "REJECTED": "Invalid; `error` says why. Nothing is stored.",
        "SKIPPED": "Valid, but not stored because another event of the batch was rejected.",
    },
    name="EventReceiptStatus",
)

__all__ = [
    "AggregationFunction",
    "ClauseOperator",
    "Conjunction",
    "Interval",
    "InvalidEventPolicy",
    "ReceiptStatus",
]

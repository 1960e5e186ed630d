"""Describes the domain's enums for the API; the domain's modules define them."""

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
    """Makes a domain enum an enum of the API; every value needs a description."""
    strawberry.enum(enum_class, name=name, description=description)
    definition: StrawberryEnumDefinition = enum_class.__strawberry_definition__  # type: ignore[attr-defined]  # put there by the line above
    for value in definition.values:
        value.description = values[value.name]
    return enum_class


described(
    Conjunction,
    "How the clauses of a filter are combined.",
    {"AND": "Every clause must be true.", "OR": "At least one clause must be true."},
)
described(
    ClauseOperator,
    "How a clause compares an event's property with its value.",
    {
        "EQUALS": 'Equal. Numbers are compared by value, so 1, 1.0 and the text "1" are equal. '
        'Booleans also equal the texts "true" and "false". Strings are compared exactly.',
        "NOT_EQUALS": "The opposite of EQUALS. Also true if the property is missing.",
        "GREATER_THAN": "Greater. Numbers are compared by value, strings by code point. False "
        "if the property is missing or has another type.",
        "GREATER_THAN_OR_EQUALS": "Greater or equal, compared as GREATER_THAN does.",
        "LESS_THAN": "Less, compared as GREATER_THAN does.",
        "LESS_THAN_OR_EQUALS": "Less or equal, compared as GREATER_THAN does.",
        "CONTAINS": "A string that contains the value, or an array with an element that equals it.",
        "NOT_CONTAINS": "The opposite of CONTAINS. Also true if the property is missing.",
    },
)
described(
    AggregationFunction,
    "How a meter aggregates the events that match its filter.",
    {
        "COUNT": "The number of events.",
        "SUM": "The sum of a property's numbers. 0 without events.",
        "AVERAGE": "The average of a property's numbers. Null without events.",
        "MINIMUM": "The smallest of a property's numbers. Null without events.",
        "MAXIMUM": "The largest of a property's numbers. Null without events.",
        "UNIQUE": "The number of distinct values of a property. 0 without events.",
        "LATEST": "A property's number in the latest event. Null without events.",
        "TIME_WEIGHTED": "The integral of a property's number over time, in hours: gigabytes make "
        "gigabyte-hours. A customer's number holds until its next event, also into the next "
        "period, and is 0 before the first. 0 without events.",
    },
)
described(
    Interval,
    "The length of the intervals of a series. They follow the calendar of a time zone.",
    {
        "HOUR": "An hour, from each full hour.",
        "DAY": "A day, from midnight.",
        "WEEK": "A week, from Monday at midnight.",
        "MONTH": "A month, from midnight on the first.",
        "YEAR": "A year, from midnight on January 1.",
    },
)
described(
    InvalidEventPolicy,
    "What happens to the valid events of a call if others are invalid.",
    {
        "REJECT_BATCH": "No event is stored. Every invalid event is reported.",
        "SKIP_INVALID": "The valid events are stored. The invalid events are reported.",
    },
)
described(
    ReceiptStatus,
    "What happened to an event.",
    {
        "INSERTED": "The event was stored, and meters will count it.",
        "DUPLICATE": "The same event was already stored.",
        "CONFLICT": "A different event has this externalId. The event was not stored.",
        "REJECTED": "The event is invalid and was not stored. `error` says why.",
        "SKIPPED": "The event is valid, but was not stored because another event of the call "
        "was rejected.",
    },
    name="EventReceiptStatus",
)


@strawberry.enum(description="The order of a list.")
class ListOrder(enum.Enum):
    """Which end of a list comes first."""

    NEWEST = strawberry.enum_value("NEWEST", description="The newest first.")
    OLDEST = strawberry.enum_value("OLDEST", description="The oldest first.")


__all__ = [
    "AggregationFunction",
    "ClauseOperator",
    "Conjunction",
    "Interval",
    "InvalidEventPolicy",
    "ListOrder",
    "ReceiptStatus",
]

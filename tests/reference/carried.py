"""The reference of meters that carry over: a range begins with the latest value from before."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

from tests.reference.aggregations import Aggregated, aggregate, hours, reduce, value_seconds
from tests.reference.values import numeric, property_of

CARRYING_OVER = ("MAXIMUM", "LATEST")
LASTING = (*CARRYING_OVER, "TIME_WEIGHTED")


def carried(
    function: str, name: str, events: list[dict[str, Any]], start: datetime, end: datetime
) -> Aggregated:
    """Aggregates the events of [start, end) of one customer, or of all as if they were one's."""
    inside = [event for event in events if start <= event["timestamp"] < end]
    counted = aggregate(function, name, inside)
    before = numbers_of(name, [event for event in events if event["timestamp"] < start])
    if function == "TIME_WEIGHTED":
        seconds = value_seconds(numbers_of(name, events), start, end)
        return Aggregated(hours(seconds), counted.matched, counted.skipped)
    numbers = numbers_of(name, inside)
    if before and start < end:
        numbers.append((start, UUID(int=0), max(before)[2]))
    return Aggregated(reduce(function, numbers), counted.matched, counted.skipped)


def carried_of_all(
    function: str, name: str, events: list[dict[str, Any]], start: datetime, end: datetime
) -> Aggregated:
    """The same of all customers: the latest value of all, or the greatest of theirs."""
    together = carried(function, name, events, start, end)
    if function == "LATEST":
        return together
    customers: Collection[Any] = {event["customer_id"] for event in events}
    if function == "TIME_WEIGHTED":
        seconds = sum(
            (
                value_seconds(
                    numbers_of(name, [one for one in events if one["customer_id"] == customer]),
                    start,
                    end,
                )
                for customer in customers
            ),
            Fraction(0),
        )
        return Aggregated(hours(seconds), together.matched, together.skipped)
    found = [
        carried(
            function, name, [one for one in events if one["customer_id"] == customer], start, end
        ).quantity
        for customer in customers
    ]
    greatest = max((quantity for quantity in found if quantity is not None), default=None)
    return Aggregated(greatest, together.matched, together.skipped)


def numbers_of(name: str, events: list[dict[str, Any]]) -> list[tuple[datetime, UUID, Decimal]]:
    """The (timestamp, id, number) of the events that have a number."""
    return [
        (event["timestamp"], event["id"], number)
        for event in events
        if (number := numeric(property_of(event, name))) is not None
    ]

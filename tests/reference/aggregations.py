"""The reference of aggregations: matching events in, quantity and counts out."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.reference.values import frozen, numeric, property_of


@dataclass(frozen=True)
class Aggregated:
    """The quantity, and how many events matched and were skipped."""

    quantity: Decimal | None
    matched: int
    skipped: int


def aggregate(function: str, name: str | None, events: list[dict[str, Any]]) -> Aggregated:
    """Aggregates matching events, which have id, name, timestamp and metadata."""
    if function == "COUNT":
        return Aggregated(Decimal(len(events)), len(events), 0)
    assert name is not None
    if function == "UNIQUE":
        found = [value for event in events if (value := property_of(event, name)) is not None]
        distinct = {frozen(value) for value in found}
        return Aggregated(Decimal(len(distinct)), len(events), len(events) - len(found))
    numbers = [
        (event["timestamp"], event["id"], number)
        for event in events
        if (number := numeric(property_of(event, name))) is not None
    ]
    skipped = len(events) - len(numbers)
    if function == "TIME_WEIGHTED":
        until_latest = hours(value_seconds(numbers, *ends_of(numbers)))
        return Aggregated(until_latest, len(events), skipped)
    return Aggregated(reduce(function, numbers), len(events), skipped)


def reduce(function: str, numbers: list[tuple[Any, Any, Decimal]]) -> Decimal | None:
    """The quantity of (timestamp, id, number)."""
    values = [number for _, _, number in numbers]
    total = sum((Fraction(value) for value in values), Fraction(0))
    if function == "SUM":
        return exact(total)
    if not values:
        return None
    match function:
        case "MINIMUM":
            return min(values)
        case "MAXIMUM":
            return max(values)
        case "LATEST":
            return max(numbers)[2]
        case "AVERAGE":
            return average(total, len(values))
    raise ValueError(function)


def ends_of(numbers: list[tuple[Any, Any, Decimal]]) -> tuple[Any, Any]:
    """The instants of the first and of the latest number."""
    instants = [instant for instant, _, _ in numbers]
    return min(instants, default=None), max(instants, default=None)


def value_seconds(numbers: list[tuple[Any, Any, Decimal]], start: Any, end: Any) -> Fraction:
    """The integral over [start, end), in seconds, of what (timestamp, id, number) say."""
    total, ordered = Fraction(0), sorted(numbers)
    for place, (instant, _, number) in enumerate(ordered):
        following = ordered[place + 1][0] if place + 1 < len(ordered) else end
        lasted = min(following, end) - max(instant, start)
        if lasted > timedelta():
            microseconds = lasted // timedelta(microseconds=1)
            total += Fraction(number) * microseconds / 1_000_000
    return total


def hours(seconds: Fraction) -> Decimal:
    """Hours, rounded half away from zero to 12 decimals more than the seconds have."""
    return average(seconds, 3600)


def decimals(number: Fraction) -> int:
    """How many decimals a terminating decimal fraction needs."""
    places = 0
    while (number * 10**places).denominator != 1:
        places += 1
    return places


def exact(number: Fraction) -> Decimal:
    """A terminating decimal fraction, every digit of it."""
    places = decimals(number)
    return Decimal(f"{int(number * 10**places)}e-{places}")


def average(total: Fraction, count: int) -> Decimal:
    """Rounded half away from zero to 12 decimals more than the total has."""
    places = decimals(total) + 12
    scaled = abs(total) / count * 10**places
    rounded = int(scaled + Fraction(1, 2))
    return Decimal(f"{'-' if total < 0 else ''}{rounded}e-{places}")

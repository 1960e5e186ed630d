"""Reads usage over time: the series of many meters at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tortoise.connection import get_connection

from metering.language.definition import definition_of
from metering.usage.ranges import Quantities, usage_of_meters
from metering.usage.windows import Interval, RangeError, Window, windows, zone_of
from models import Meter


@dataclass(frozen=True, slots=True)
class Range:
    """The points of a series: [start, end) by intervals of a time zone."""

    start: datetime
    end: datetime
    interval: Interval
    timezone: str


@dataclass(frozen=True, slots=True)
class Series:
    """The windows of a range and the quantities in them."""

    windows: Sequence[Window]
    usage: Quantities


SeriesKey = tuple[Meter, Range, UUID | None]


async def read_series(keys: list[SeriesKey]) -> list[Series | RangeError]:
    """The series of each (meter, range, customer), one statement for a range and a customer."""
    found: list[Series | RangeError] = [RangeError("", "")] * len(keys)
    asked: dict[tuple[Range, UUID | None], list[int]] = {}
    for index, (_, range_, customer_id) in enumerate(keys):
        asked.setdefault((range_, customer_id), []).append(index)
    for (range_, customer_id), indexes in asked.items():
        try:
            zone = zone_of(range_.timezone)
            points = windows(range_.start, range_.end, range_.interval, zone)
            meters = [definition_of(keys[index][0]) for index in indexes]
            used = await usage_of_meters(get_connection("default"), meters, points, customer_id)
        except RangeError as error:
            for index in indexes:
                found[index] = error
            continue
        for index, one in zip(indexes, used, strict=True):
            found[index] = Series(points, one)
    return found

"""Divides a range into intervals of a time zone, and an interval into whole buckets. Pure.

An interval begins at the first instant whose local time lies in it. A day on which clocks change
has 23 or 25 hours (23.5 or 24.5 on Lord Howe Island), and a day that a zone skips does not exist.
An hour begins whenever the clock strikes it, so a repeated hour counts as two. Weeks begin on
Monday (ISO 8601).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from importlib import resources
from itertools import pairwise, starmap
from typing import NamedTuple
from zoneinfo import ZoneInfo

MAXIMUM_POINTS = 10_000
BUCKET_MINUTES = 15
HOUR_MINUTES = 60
QUARTER_DAY_MINUTES = 360
BUCKET = timedelta(minutes=BUCKET_MINUTES)
"""Present offsets of all time zones are multiples of it, so midnights are between buckets."""

_ZONES = frozenset(resources.files("tzdata").joinpath("zones").read_text().split())
_HOUR = timedelta(hours=1)
_SECOND = timedelta(seconds=1)
# Clocks are set back by at most this many hours, unless a zone crosses the date line.
_FARTHEST_STRIKE = 3


class Interval(StrEnum):
    """The length of a point."""

    HOUR = "HOUR"
    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"
    YEAR = "YEAR"


class RangeError(ValueError):
    """An invalid range. `argument` is the argument to correct."""

    def __init__(self, argument: str, message: str) -> None:
        super().__init__(message)
        self.argument = argument


class EventsArchivedError(RangeError):
    """An answer would need events that are archived."""


class Window(NamedTuple):
    """A range [start, end) in UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class BucketSplit:
    """A window's whole buckets, in [start, end) (none if equal), and the edges around them."""

    start: datetime
    end: datetime
    edges: tuple[Window, ...]


def zone_of(name: str) -> ZoneInfo:
    """Returns the IANA time zone of this name. Raises RangeError if there is none."""
    # The machine may have others, such as `localtime` and zones that count leap seconds.
    if name not in _ZONES:
        raise RangeError("timezone", f"`timezone` is not an IANA time zone: {name[:64]!r}.")
    return ZoneInfo(name)


def check_range(start: datetime, end: datetime) -> Window:
    """Returns the range in UTC. Raises RangeError if it ends before it starts."""
    if end < start:
        raise RangeError("end", "`end` is before `start`.")
    return Window(start.astimezone(UTC), end.astimezone(UTC))


def windows(start: datetime, end: datetime, interval: Interval, zone: ZoneInfo) -> list[Window]:
    """Returns the intervals that overlap [start, end), cut off at its bounds.

    Raises RangeError if the range ends before it starts or has more than 10,000 intervals.
    """
    whole = check_range(start, end)
    if whole.start == whole.end:
        return []
    starts = [whole.start]
    for bound in _bounds_after(whole.start, interval, zone):
        if bound >= whole.end:
            break
        if len(starts) == MAXIMUM_POINTS:
            raise RangeError(
                "interval",
                f"The range has more than {MAXIMUM_POINTS:,} points: choose a longer `interval` or"
                " a shorter range.",
            )
        starts.append(bound)
    return list(starmap(Window, pairwise([*starts, whole.end])))


def split(window: Window, minutes: int = BUCKET_MINUTES) -> BucketSplit:
    """Splits a window into whole buckets of so many minutes and the edges around them."""
    start, end = bucket_of(window.start, minutes), bucket_of(window.end, minutes)
    if start != window.start and start < end:
        start += timedelta(minutes=minutes)
    if start >= end:
        edges = (window,) if window.start < window.end else ()
        return BucketSplit(window.start, window.start, edges)
    if start == window.start and end == window.end:
        return BucketSplit(start, end, ())
    sides = (Window(window.start, start), Window(end, window.end))
    return BucketSplit(start, end, tuple(side for side in sides if side.start < side.end))


def bucket_of(instant: datetime, minutes: int = BUCKET_MINUTES) -> datetime:
    """Returns the start of the bucket that contains an instant in UTC.

    `minutes`, the length of a bucket, divides a day.
    """
    # This runs for every point of a range, and nearly every point begins a bucket.
    passed = instant.hour * 60 + instant.minute
    if passed % minutes == instant.second == instant.microsecond == 0:
        return instant
    hour, minute = divmod(passed // minutes * minutes, 60)
    return instant.replace(hour=hour, minute=minute, second=0, microsecond=0)


def _bounds_after(instant: datetime, interval: Interval, zone: ZoneInfo) -> Iterator[datetime]:
    """Yields the instants after `instant` at which intervals begin; the last is the end of time."""
    try:
        if interval is Interval.HOUR:
            yield from _hours_after(instant, zone)
        while True:
            day = instant.astimezone(zone).date()
            following = instant
            while following <= instant:
                day = _next_day(day, interval)
                following = first_instant(datetime.combine(day, time()), zone)
            instant = following
            yield instant
    except (OverflowError, ValueError):
        # Outside the years 1 to 9999 no interval begins.
        yield datetime.max.replace(tzinfo=UTC)


def _next_day(day: date, interval: Interval) -> date:
    """Returns the first day of the interval after the one that contains `day`."""
    match interval:
        case Interval.WEEK:
            return day + timedelta(days=7 - day.weekday())
        case Interval.MONTH:
            return (day.replace(day=28) + timedelta(days=4)).replace(day=1)
        case Interval.YEAR:
            return date(day.year + 1, 1, 1)
        case _:
            return day + timedelta(days=1)


def _hours_after(instant: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """Yields the instants after `instant` at which the clock strikes the hour, without end."""
    instant = _next_hour(instant, zone)
    yield instant
    if zone.utcoffset(None) is not None:  # clocks never change there, as in UTC
        while True:
            instant += _HOUR
            yield instant
    offset = instant.astimezone(zone).utcoffset()
    while True:
        following = instant + _HOUR
        local = following.astimezone(zone)
        if local.utcoffset() != offset or local.minute or local.second:
            following = _next_hour(instant, zone)
            offset = following.astimezone(zone).utcoffset()
        instant = following
        yield instant


def _next_hour(instant: datetime, zone: ZoneInfo) -> datetime:
    local = instant.astimezone(zone)
    past = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    candidate = instant + _HOUR - past
    if candidate.astimezone(zone).utcoffset() == local.utcoffset():
        return candidate
    # The clock changes before the next full hour. The next strike is one of the hours around it, of
    # which the earlier ones may be struck a second time.
    hour = local.replace(minute=0, second=0, microsecond=0, tzinfo=None)
    strikes = [
        first_instant(naive, zone, fold=fold)
        for naive in (hour + _HOUR * step for step in range(-_FARTHEST_STRIKE, 2))
        for fold in (0, 1)
    ]
    return min(strike for strike in strikes if strike > instant)


def first_instant(naive: datetime, zone: ZoneInfo, *, fold: int = 0) -> datetime:
    """Returns the instant in UTC at which clocks in the zone show a local time, or skip it.

    If they show it twice, `fold` 1 means the second time.
    """
    before, after = _offset(naive, zone, 0), _offset(naive, zone, 1)
    if after <= before:
        return (naive - (after if fold else before)).replace(tzinfo=UTC)
    # Clocks skip this time. They change after `early`, and by `late` at the latest.
    early, late = (naive - after).replace(tzinfo=UTC), (naive - before).replace(tzinfo=UTC)
    while late - early > _SECOND:
        middle = early + (late - early) // 2 // _SECOND * _SECOND
        if middle.astimezone(zone).utcoffset() == before:
            early = middle
        else:
            late = middle
    return late


def _offset(naive: datetime, zone: ZoneInfo, fold: int) -> timedelta:
    # ZoneInfo never returns None here; other tzinfo classes may.
    return naive.replace(tzinfo=zone, fold=fold).utcoffset() or timedelta()

"""Billing periods: [start + k intervals, start + (k+1) intervals), always from the original anchor.

Counting from the anchor, and not from the last boundary, keeps Jan 31 → Feb 28 → Mar 31. In UTC,
half-open, by the proleptic Gregorian calendar.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta
from enum import StrEnum


class RecurringInterval(StrEnum):
    """How long a period is."""

    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"
    YEAR = "YEAR"


_DAYS = {RecurringInterval.DAY: 1, RecurringInterval.WEEK: 7}
_MONTHS = {RecurringInterval.MONTH: 1, RecurringInterval.YEAR: 12}


@dataclass(frozen=True, slots=True)
class Period:
    """The half-open range [start, end) of instants in UTC."""

    start: datetime
    end: datetime


def boundary(anchor: datetime, interval: RecurringInterval, index: int) -> datetime:
    """Returns `anchor` + `index` intervals. A day that the month lacks becomes its last day.

    Raises:
        OverflowError: the result is not in the years 1 to 9999.
    """
    anchor = anchor.astimezone(UTC)
    if interval in _DAYS:
        return anchor + timedelta(days=_DAYS[interval] * index)
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + _MONTHS[interval] * index, 12)
    if not MINYEAR <= year <= MAXYEAR:
        raise OverflowError(f"the year {year} is out of range")
    last_day = monthrange(year, month + 1)[1]
    return anchor.replace(year=year, month=month + 1, day=min(anchor.day, last_day))


def period_at(anchor: datetime, interval: RecurringInterval, index: int) -> Period:
    """Returns the period with this index. The first has the index 0."""
    return Period(boundary(anchor, interval, index), boundary(anchor, interval, index + 1))


def index_at(anchor: datetime, interval: RecurringInterval, instant: datetime) -> int:
    """Returns the index of the period that contains `instant`; negative before the anchor."""
    anchor, instant = anchor.astimezone(UTC), instant.astimezone(UTC)
    if interval in _DAYS:
        return (instant - anchor) // timedelta(days=_DAYS[interval])
    months = (instant.year - anchor.year) * 12 + instant.month - anchor.month
    index = months // _MONTHS[interval]
    # In the month of a boundary, the instant may come before it.
    return index - 1 if boundary(anchor, interval, index) > instant else index

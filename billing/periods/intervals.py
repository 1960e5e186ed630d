"""Billing periods: half-open ranges of instants that follow each other without gaps.

By default, period k is [anchor + k intervals, anchor + (k+1) intervals), always from the original
anchor and in UTC. Counting from the anchor, and not from the last boundary, keeps Jan 31 → Feb 28 →
Mar 31. Calendar periods begin where a day, week, month or year of a time zone does, except the
first, which begins at the anchor. All by the proleptic Gregorian calendar.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from metering.usage.windows import first_instant


class RecurringInterval(StrEnum):
    """How long a period is."""

    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"
    YEAR = "YEAR"


class BillingPeriods(StrEnum):
    """Where periods begin."""

    FROM_START = "FROM_START"
    CALENDAR = "CALENDAR"


_DAYS = {RecurringInterval.DAY: 1, RecurringInterval.WEEK: 7}
_MONTHS = {RecurringInterval.MONTH: 1, RecurringInterval.YEAR: 12}
_MONDAY = date(1, 1, 1)
# The offsets of time zones differ by 26 hours at most, and no calendar period is so short.
_NEAR = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Recurrence:
    """How periods follow each other: `count` intervals each.

    With a `zone`, they are calendar periods of that zone. `count` months of a calendar begin with
    January, so `count` divides 12; of the other intervals a calendar period has one.
    """

    interval: RecurringInterval
    count: int = 1
    zone: ZoneInfo | None = None


@dataclass(frozen=True, slots=True)
class Period:
    """The half-open range [start, end) of instants in UTC."""

    start: datetime
    end: datetime


def most_within(part: Recurrence, whole: Recurrence) -> int:
    """Returns how many periods of `part` a period of `whole` has at most, from any anchor.

    0 if it cannot be divided by them: months and years are whole days, but not whole weeks.
    """
    lengths = _DAYS if part.interval in _DAYS else _MONTHS
    if whole.interval in lengths:
        length = lengths[whole.interval] * whole.count
        found, rest = divmod(length, lengths[part.interval] * part.count)
        return 0 if rest else found
    is_day = part.interval is RecurringInterval.DAY and part.count == 1
    return 31 * _MONTHS[whole.interval] * whole.count if is_day else 0


def at_most_a_month(every: Recurrence) -> Recurrence:
    """Returns the same recurrence, or a monthly one if its periods may be longer than a month."""
    days = _DAYS.get(every.interval, 31) * every.count
    return every if days <= 28 else Recurrence(RecurringInterval.MONTH)


def boundary(anchor: datetime, every: Recurrence, index: int) -> datetime:
    """Returns the start of the period with this index, which is `anchor` for the index 0.

    A day that the month lacks becomes its last day.

    Raises:
        OverflowError: the result is not in the years 1 to 9999.
    """
    anchor = anchor.astimezone(UTC)
    if every.zone is not None:
        number = _calendar_number(every, every.zone, anchor)
        return anchor if index == 0 else _calendar_start(every, every.zone, number + index)
    if every.interval in _DAYS:
        return anchor + timedelta(days=_DAYS[every.interval] * every.count * index)
    months = anchor.year * 12 + anchor.month - 1 + _MONTHS[every.interval] * every.count * index
    year, month = _month(months)
    last_day = monthrange(year, month)[1]
    return anchor.replace(year=year, month=month, day=min(anchor.day, last_day))


def period_at(anchor: datetime, every: Recurrence, index: int) -> Period:
    """Returns the period with this index. The first has the index 0."""
    return Period(boundary(anchor, every, index), boundary(anchor, every, index + 1))


def period_from(anchor: datetime, every: Recurrence, start: datetime) -> Period:
    """Returns the period that begins at `start`, which is the anchor or the end of a period.

    It is a period of the anchor, unless the zone of calendar periods has changed since. Then
    `start` is near a boundary of the new zone, and the period ends at the boundary after that.
    """
    if every.zone is None or start == anchor:
        return period_around(anchor, every, start)
    # Three days later it is in the calendar period that begins nearest to `start`.
    within = start.astimezone(UTC) + _NEAR
    number = _calendar_number(every, every.zone, within)
    return Period(start, _calendar_start(every, every.zone, number + 1))


def ending_within(period: Period, every: Recurrence, outer: Period) -> Period:
    """Returns a period that ends with `outer` at the latest.

    If the zone of calendar periods has changed since `outer` began, its end is only near the end of
    a period of `every`.
    """
    near = outer.end if every.zone is None else outer.end - _NEAR
    return Period(period.start, outer.end) if period.end > near else period


def whole_period(every: Recurrence, first: Period) -> Period:
    """Returns the whole period of which the first is the end, if periods are calendar ones."""
    if every.zone is None:
        return first
    number = _calendar_number(every, every.zone, first.start)
    return Period(_calendar_start(every, every.zone, number), first.end)


def index_at(anchor: datetime, every: Recurrence, instant: datetime) -> int:
    """Returns the index of the period that contains `instant`; negative before the anchor."""
    anchor, instant = anchor.astimezone(UTC), instant.astimezone(UTC)
    if every.zone is not None:
        index = _calendar_number(every, every.zone, instant) - _calendar_number(
            every, every.zone, anchor
        )
    elif every.interval in _DAYS:
        return (instant - anchor) // timedelta(days=_DAYS[every.interval] * every.count)
    else:
        months = (instant.year - anchor.year) * 12 + instant.month - anchor.month
        index = months // (_MONTHS[every.interval] * every.count)
    # In the month of a boundary, the instant may come before it.
    return index - 1 if boundary(anchor, every, index) > instant else index


def period_around(anchor: datetime, every: Recurrence, instant: datetime) -> Period:
    """Returns the period that contains `instant`. A period includes its first instant."""
    return period_at(anchor, every, index_at(anchor, every, instant))


def _calendar_number(every: Recurrence, zone: ZoneInfo, instant: datetime) -> int:
    """Returns the number of the calendar period that contains an instant, since the year 0 or 1."""
    local = instant.astimezone(zone)
    if every.interval is RecurringInterval.WEEK:
        number = (local.date() - _MONDAY).days // 7
    else:
        months = _MONTHS[every.interval] * every.count
        number = (local.year * 12 + local.month - 1) // months
    # Clocks that are set back across midnight show the end of the day before a second time.
    return number + 1 if _calendar_start(every, zone, number + 1) <= instant else number


def _calendar_start(every: Recurrence, zone: ZoneInfo, number: int) -> datetime:
    if every.interval is RecurringInterval.WEEK:
        day = _MONDAY + timedelta(weeks=number)
    else:
        year, month = _month(number * _MONTHS[every.interval] * every.count)
        day = date(year, month, 1)
    return first_instant(datetime.combine(day, time()), zone)


def _month(months: int) -> tuple[int, int]:
    """Returns the year and the month, from 1 on, of a month counted from the year 0."""
    year, month = divmod(months, 12)
    if not MINYEAR <= year <= MAXYEAR:
        raise OverflowError(f"the year {year} is out of range")
    return year, month + 1

"""The calendar of a time zone, by a search that goes minute by minute.

It starts in 1973, because some zones were not whole minutes from UTC before.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

from billing.periods.intervals import Period, Recurrence, RecurringInterval

MINUTE = timedelta(minutes=1)


@cache
def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The first minute at which clocks in a zone show a day, or a later one."""
    midnight = datetime.combine(day, time())
    minute = midnight.replace(tzinfo=UTC) - timedelta(hours=27)
    while minute.astimezone(zone).replace(tzinfo=None) < midnight:
        minute += MINUTE
    return minute


def first_day(every: Recurrence, instant: datetime, step: int) -> date:
    """The first day of the calendar period `step` after the one that clocks show."""
    day = instant.astimezone(every.zone).date()
    if every.interval is RecurringInterval.WEEK:
        return day - timedelta(days=day.isoweekday() - 1) + timedelta(weeks=step)
    months = every.count * (12 if every.interval is RecurringInterval.YEAR else 1)
    begun = day.replace(day=1, month=day.month - (day.month - 1) % months)
    following: date = begun + relativedelta(months=months * step)
    return following


def calendar_period(every: Recurrence, instant: datetime) -> Period:
    """The whole calendar period that an instant is in."""
    assert every.zone is not None
    starts = [start_of_day(first_day(every, instant, step), every.zone) for step in range(-1, 3)]
    start = max(one for one in starts if one <= instant)
    return Period(start, min(one for one in starts if one > instant))

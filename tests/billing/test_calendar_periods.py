"""Calendar periods of a time zone, compared with a search that goes minute by minute."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.periods.intervals import (
    Period,
    Recurrence,
    RecurringInterval,
    boundary,
    index_at,
    period_at,
    period_from,
    whole_period,
)
from billing.periods.shares import share
from tests.billing.calendars import calendar_period, start_of_day

WEEK, MONTH, YEAR = RecurringInterval.WEEK, RecurringInterval.MONTH, RecurringInterval.YEAR
# Those whose clocks do something unusual, and some that do not.
UNUSUAL = (
    "Australia/Lord_Howe",  # changes by half an hour
    "America/St_Johns",  # was set back across midnight
    "Pacific/Apia",  # skipped a day
    "Pacific/Kwajalein",
    "Asia/Kathmandu",
    "America/Asuncion",  # changes at midnight
    "Asia/Beirut",
    "Africa/Casablanca",
    "Europe/Berlin",
    "America/Los_Angeles",
    "Pacific/Kiritimati",
    "Etc/GMT+12",
    "UTC",
)
zones = (st.sampled_from(UNUSUAL) | st.sampled_from(sorted(available_timezones()))).map(ZoneInfo)
instants = st.datetimes(datetime(1973, 2, 1), datetime(2060, 1, 1)).map(  # noqa: DTZ001  # in UTC below
    lambda naive: naive.replace(tzinfo=UTC)
)
shapes = st.sampled_from([(WEEK, 1), (YEAR, 1), *((MONTH, count) for count in (1, 2, 3, 4, 6, 12))])
recurrences = st.builds(lambda shape, zone: Recurrence(shape[0], shape[1], zone), shapes, zones)


@given(recurrences, instants)
def test_a_period_is_that_of_the_calendar(every: Recurrence, anchor: datetime) -> None:
    found = calendar_period(every, anchor)
    first = period_at(anchor, every, 0)
    assert first == Period(anchor, found.end)
    assert whole_period(every, first) == found
    assert share(first, found) == Fraction(
        (found.end - anchor) // timedelta.resolution,
        (found.end - found.start) // timedelta.resolution,
    )
    assert period_at(anchor, every, 1) == calendar_period(every, found.end)


@given(recurrences, instants, st.integers(0, 40))
def test_calendar_periods_tile_the_time(every: Recurrence, anchor: datetime, index: int) -> None:
    current = period_at(anchor, every, index)
    assert current.start < current.end == period_at(anchor, every, index + 1).start
    assert period_from(anchor, every, current.start) == current


@given(recurrences, instants, instants)
def test_every_instant_lies_in_the_calendar_period_of_its_index(
    every: Recurrence, anchor: datetime, instant: datetime
) -> None:
    index = index_at(anchor, every, instant)
    found = period_at(anchor, every, index)
    assert found.start <= instant < found.end
    assert (index >= 0) == (instant >= anchor)


@given(recurrences, zones, instants, st.integers(0, 15))
def test_a_change_of_zone_moves_the_next_end_and_loses_no_period(
    every: Recurrence, zone: ZoneInfo, anchor: datetime, index: int
) -> None:
    """The period that is open keeps its end. The next one is a day or so shorter or longer."""
    before = period_at(anchor, every, index)
    moved = Recurrence(every.interval, every.count, zone)
    after = period_from(anchor, moved, before.end)
    expected = period_at(anchor, every, index + 1)
    assert after.start == before.end
    assert abs(after.end - expected.end) <= timedelta(hours=26)
    assert after.end == boundary(after.end, moved, 0)
    assert calendar_period(moved, after.end).start == after.end


@pytest.mark.parametrize(
    ("zone", "anchor", "ends"),
    [
        # March in Berlin is an hour shorter than 31 days, October an hour longer.
        (
            "Europe/Berlin",
            "2026-02-10T12:00:00+00:00",
            ["2026-02-28T23:00:00+00:00", "2026-03-31T22:00:00+00:00", "2026-04-30T22:00:00+00:00"],
        ),
        # Lord Howe Island changes by half an hour: on 5 April and 4 October 2026.
        (
            "Australia/Lord_Howe",
            "2026-09-15T00:00:00+00:00",
            ["2026-09-30T13:30:00+00:00", "2026-10-31T13:00:00+00:00", "2026-11-30T13:00:00+00:00"],
        ),
        # A leap year.
        (
            "Asia/Kathmandu",
            "2028-01-31T18:15:00+00:00",
            ["2028-02-29T18:15:00+00:00", "2028-03-31T18:15:00+00:00", "2028-04-30T18:15:00+00:00"],
        ),
    ],
)
def test_months_end_at_midnight_of_the_zone(zone: str, anchor: str, ends: list[str]) -> None:
    every = Recurrence(MONTH, zone=ZoneInfo(zone))
    began = datetime.fromisoformat(anchor)
    assert [period_at(began, every, index).end.isoformat() for index in range(3)] == ends


def test_quarters_are_those_of_the_year_and_weeks_begin_on_monday() -> None:
    began = datetime(2026, 2, 10, 12, tzinfo=UTC)
    zone = ZoneInfo("UTC")
    assert period_at(began, Recurrence(MONTH, 3, zone), 0).end == datetime(2026, 4, 1, tzinfo=UTC)
    assert period_at(began, Recurrence(WEEK, 1, zone), 0).end == datetime(2026, 2, 16, tzinfo=UTC)
    assert period_at(began, Recurrence(YEAR, 1, zone), 0).end == datetime(2027, 1, 1, tzinfo=UTC)


def test_clocks_that_are_set_back_across_midnight_begin_a_month_once() -> None:
    """On 1 November 2009, clocks in St. John's were set back from 00:01 to 23:01."""
    zone = ZoneInfo("America/St_Johns")
    every = Recurrence(MONTH, zone=zone)
    begins = start_of_day(date(2009, 11, 1), zone)
    again = begins + timedelta(minutes=30)
    assert again.astimezone(zone).date() == date(2009, 10, 31)
    assert period_at(again, every, 0).end == start_of_day(date(2009, 12, 1), zone)
    assert whole_period(every, period_at(again, every, 0)).start == begins


def test_a_calendar_period_past_the_calendar_overflows() -> None:
    for interval in (WEEK, MONTH, YEAR):
        with pytest.raises(OverflowError):
            boundary(
                datetime(9999, 12, 31, tzinfo=UTC), Recurrence(interval, 1, ZoneInfo("UTC")), 1
            )

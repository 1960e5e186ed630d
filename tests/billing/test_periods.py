"""Billing periods by the original anchor."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st

from billing.periods.intervals import (
    Recurrence,
    RecurringInterval,
    at_most_a_month,
    boundary,
    index_at,
    period_at,
    period_from,
)

MONTH, YEAR = Recurrence(RecurringInterval.MONTH), Recurrence(RecurringInterval.YEAR)


def test_the_end_of_january_comes_back_after_february() -> None:
    anchor = datetime(2026, 1, 31, 13, 45, 59, 1, UTC)
    dates = [boundary(anchor, MONTH, index).date().isoformat() for index in range(5)]
    assert dates == ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]
    assert boundary(anchor, MONTH, 1).time() == anchor.time()


def test_a_leap_day_comes_back_in_leap_years() -> None:
    anchor = datetime(2024, 2, 29, tzinfo=UTC)
    dates = [boundary(anchor, YEAR, index).date().isoformat() for index in range(5)]
    assert dates == ["2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]
    assert boundary(datetime(2024, 1, 31, tzinfo=UTC), MONTH, 1).day == 29


def test_years_end() -> None:
    anchor = datetime(2025, 12, 31, 23, 59, 59, 999_999, UTC)
    assert period_at(anchor, MONTH, 0).end == datetime(2026, 1, 31, 23, 59, 59, 999_999, UTC)
    assert period_at(anchor, Recurrence(RecurringInterval.DAY), 1).start.year == 2026
    assert boundary(anchor, MONTH, -10) == datetime(2025, 2, 28, 23, 59, 59, 999_999, UTC)


def test_an_anchor_of_another_zone_is_taken_in_utc() -> None:
    kolkata = timezone(timedelta(hours=5, minutes=30))
    anchor = datetime(2026, 3, 1, 2, tzinfo=kolkata)  # Feb 28, 20:30 in UTC
    assert boundary(anchor, MONTH, 1) == datetime(2026, 3, 28, 20, 30, tzinfo=UTC)


def test_a_boundary_past_the_calendar_overflows() -> None:
    for interval in RecurringInterval:
        with pytest.raises(OverflowError):
            boundary(datetime(9999, 12, 31, tzinfo=UTC), Recurrence(interval), 1)


instants = st.integers(0, 100 * 365 * 86_400 * 1_000_000).map(
    lambda microseconds: datetime(1990, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
)
recurrences = st.builds(Recurrence, st.sampled_from(RecurringInterval), st.integers(1, 12))


@given(instants, recurrences, st.integers(-100, 100))
def test_periods_tile_the_time(anchor: datetime, every: Recurrence, index: int) -> None:
    current = period_at(anchor, every, index)
    assert current.start < current.end == period_at(anchor, every, index + 1).start


@given(instants, recurrences, instants)
def test_every_instant_lies_in_the_period_of_its_index(
    anchor: datetime, every: Recurrence, instant: datetime
) -> None:
    found = period_at(anchor, every, index_at(anchor, every, instant))
    assert found.start <= instant < found.end


@given(instants, recurrences, st.integers(-100, 100))
def test_a_boundary_belongs_to_the_period_that_it_begins(
    anchor: datetime, every: Recurrence, index: int
) -> None:
    start = boundary(anchor, every, index)
    assert period_from(anchor, every, start) == period_at(anchor, every, index)
    assert index_at(anchor, every, start) == index
    assert index_at(anchor, every, start - timedelta(microseconds=1)) == index - 1


@given(instants, recurrences, st.integers(-100, 100))
def test_boundaries_are_those_of_another_library(
    anchor: datetime, every: Recurrence, index: int
) -> None:
    steps = every.count * index
    expected = {
        RecurringInterval.DAY: relativedelta(days=steps),
        RecurringInterval.WEEK: relativedelta(weeks=steps),
        RecurringInterval.MONTH: relativedelta(months=steps),
        RecurringInterval.YEAR: relativedelta(years=steps),
    }
    assert boundary(anchor, every, index) == anchor + expected[every.interval]


def test_corrections_after_the_end_wait_for_a_month_at_most() -> None:
    weekly, fortnight = Recurrence(RecurringInterval.WEEK), Recurrence(RecurringInterval.WEEK, 2)
    assert at_most_a_month(weekly) == weekly
    assert at_most_a_month(fortnight) == fortnight
    for longer in (
        Recurrence(RecurringInterval.WEEK, 5),
        Recurrence(RecurringInterval.DAY, 366),
        Recurrence(RecurringInterval.MONTH, 3),
        YEAR,
        Recurrence(RecurringInterval.YEAR, 1, ZoneInfo("Europe/Berlin")),
    ):
        assert at_most_a_month(longer) == MONTH


def test_a_quarter_is_three_months_from_its_start() -> None:
    anchor = datetime(2025, 11, 30, tzinfo=UTC)
    dates = [boundary(anchor, Recurrence(RecurringInterval.MONTH, 3), k).date() for k in range(4)]
    assert [one.isoformat() for one in dates] == [
        "2025-11-30",
        "2026-02-28",
        "2026-05-30",
        "2026-08-30",
    ]
    fortnight = Recurrence(RecurringInterval.WEEK, 2)
    assert boundary(anchor, fortnight, 2) == datetime(2025, 12, 28, tzinfo=UTC)

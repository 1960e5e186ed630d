"""Windows tile a range along the calendar of a time zone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from metering.usage.windows import BUCKET, Interval, RangeError, Window, split, windows, zone_of

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "America/Havana",  # clocks change at midnight, which comes twice
    "America/Santiago",  # clocks change at midnight, which is skipped
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Beirut",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Pacific/Apia",
    "Antarctica/Troll",
    "Africa/Casablanca",
]
MINUTES = {Interval.HOUR: 60, Interval.DAY: 60 * 24, Interval.WEEK: 60 * 24 * 7}


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def instants(first: int, last: int) -> st.SearchStrategy[datetime]:
    bounds = [datetime(year, 1, 1, tzinfo=UTC) for year in (first, last)]
    return st.timedeltas(timedelta(0), bounds[1] - bounds[0]).map(bounds[0].__add__)


def hours(found: list[Window]) -> list[float]:
    return [(window.end - window.start) / timedelta(hours=1) for window in found]


@given(
    st.sampled_from(ZONES),
    st.sampled_from(Interval),
    instants(1990, 2040),
    st.floats(0, 500),
)
@example("Pacific/Chatham", Interval.HOUR, datetime(1995, 3, 18, tzinfo=UTC), 40.0)
def test_windows_tile_the_range_and_begin_where_intervals_do(
    name: str, interval: Interval, start: datetime, days: float
) -> None:
    zone = ZoneInfo(name)
    end = start + timedelta(days=days if interval is not Interval.HOUR else days / 20)
    found = windows(start, end, interval, zone)
    assert [window.start for window in found] == [start, *(w.end for w in found[:-1])][: len(found)]
    assert (found[-1].end == end) if start < end else not found
    for window in found[1:]:
        local = window.start.astimezone(zone)
        before = (window.start - timedelta(microseconds=1)).astimezone(zone)
        assert interval_of(local, interval) != interval_of(before, interval) or (
            interval is Interval.HOUR and local.minute == local.second == 0
        )
    for window in found:
        # Nothing begins inside a window. Where clocks go back into an hour, which then goes on,
        # no hour is struck.
        first = window.start.astimezone(zone)
        last = (window.end - timedelta(microseconds=1)).astimezone(zone)
        goes_back = interval is Interval.HOUR and seconds_ahead(last) < seconds_ahead(first)
        assert interval_of(first, interval) == interval_of(last, interval) or goes_back


def seconds_ahead(local: datetime) -> float:
    """How far local clocks are ahead of UTC."""
    offset = local.utcoffset()
    assert offset is not None
    return offset.total_seconds()


def interval_of(local: datetime, interval: Interval) -> object:
    """What tells an interval from its neighbours."""
    match interval:
        case Interval.HOUR:
            return local.date(), local.hour
        case Interval.DAY:
            return local.date()
        case Interval.WEEK:
            return local.date() - timedelta(days=local.weekday())
        case Interval.MONTH:
            return local.year, local.month
        case Interval.YEAR:
            return local.year


@pytest.mark.parametrize(
    ("zone", "day", "length"),
    [
        ("Europe/Berlin", "2026-03-29T00:00+01:00", 23),
        ("Europe/Berlin", "2026-10-25T00:00+02:00", 25),
        ("Europe/Berlin", "2026-10-26T00:00+01:00", 24),
        ("Australia/Lord_Howe", "2026-04-05T00:00+11:00", 24.5),
        ("Australia/Lord_Howe", "2026-10-04T00:00+10:30", 23.5),
        ("America/Havana", "2025-11-02T00:00-04:00", 25),
        ("America/Santiago", "2025-09-07T01:00-03:00", 23),
        ("Asia/Kathmandu", "2026-01-01T00:00+05:45", 24),
        ("America/Toronto", "1919-03-31T00:30-04:00", 23.5),
    ],
)
def test_days_on_which_clocks_change(zone: str, day: str, length: float) -> None:
    start = instant(day)
    found = windows(
        start - timedelta(hours=1), start + timedelta(days=2), Interval.DAY, zone_of(zone)
    )
    assert found[1].start == start
    assert hours(found)[1] == length


def test_a_day_that_a_zone_left_out_is_no_window() -> None:
    # Samoa went from the 29th to the 31st of December 2011.
    found = windows(
        instant("2011-12-29T00:00-10:00"),
        instant("2012-01-01T00:00+14:00"),
        Interval.DAY,
        zone_of("Pacific/Apia"),
    )
    assert hours(found) == [24, 24]


@pytest.mark.parametrize(
    "name", ["localtime", "posixrules", "right/UTC", "posix/UTC", "America", "", "UTC\0", "utc"]
)
def test_zones_that_only_some_machines_know_are_refused(name: str) -> None:
    with pytest.raises(RangeError, match="`timezone` is not an IANA time zone"):
        zone_of(name)


@pytest.mark.parametrize("name", ["UTC", "Etc/GMT+12", "US/Pacific", "EST5EDT", "Asia/Calcutta"])
def test_old_names_of_zones_are_zones(name: str) -> None:
    assert zone_of(name).key == name


def test_a_range_has_at_most_ten_thousand_points() -> None:
    start = instant("2026-01-01T00:00Z")
    utc = zone_of("UTC")
    assert len(windows(start, start + timedelta(hours=10_000), Interval.HOUR, utc)) == 10_000
    with pytest.raises(RangeError, match="more than 10,000 points") as error:
        windows(start, start + timedelta(hours=10_000, microseconds=1), Interval.HOUR, utc)
    assert error.value.argument == "interval"


def test_a_range_ends_where_it_starts_or_later() -> None:
    start = instant("2026-01-01T00:00Z")
    assert windows(start, start, Interval.DAY, zone_of("UTC")) == []
    with pytest.raises(RangeError, match="`end` is before `start`") as error:
        windows(start, start - timedelta(microseconds=1), Interval.DAY, zone_of("UTC"))
    assert error.value.argument == "end"


@pytest.mark.parametrize("interval", [Interval.MONTH, Interval.YEAR])
def test_the_first_and_the_last_year_are_ranges_too(interval: Interval) -> None:
    lowest, highest = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    for start, end in (
        (lowest, lowest + timedelta(days=40)),
        (highest - timedelta(days=40), highest),
    ):
        for zone in ("UTC", "Asia/Kolkata", "America/New_York"):
            found = windows(start, end, interval, zone_of(zone))
            assert (found[0].start, found[-1].end) == (start, end)


@pytest.mark.parametrize("name", ["", "Nowhere", "../etc/passwd", "America", "a\0", "\ud800", "/x"])
def test_an_unknown_time_zone(name: str) -> None:
    with pytest.raises(RangeError, match="not an IANA time zone") as error:
        zone_of(name)
    assert error.value.argument == "timezone"


@given(
    instants(1900, 2100),
    st.timedeltas(timedelta(0), timedelta(hours=2)),
)
def test_buckets_and_edges_tile_a_window(start: datetime, length: timedelta) -> None:
    window = Window(start, start + length)
    found = split(window)
    for bound in (found.start, found.end):
        assert found.start == found.end or (
            bound - datetime(1970, 1, 1, tzinfo=UTC)
        ) % BUCKET == timedelta(0)
    buckets = [Window(found.start, found.end)] if found.start < found.end else []
    tiles = sorted([*buckets, *found.edges], key=lambda tile: tile.start)
    bounds = [bound for tile in tiles for bound in (tile.start, tile.end)]
    assert bounds == sorted(bounds)
    assert not tiles or (bounds[0], bounds[-1]) == (window.start, window.end)
    assert sum((tile.end - tile.start for tile in tiles), timedelta(0)) == length
    assert all(edge.end - edge.start < 2 * BUCKET for edge in found.edges)

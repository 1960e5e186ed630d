"""SQL that reads the windows of a range: their whole buckets, and the edges of those.

Windows follow each other without gaps and are numbered from 1.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from metering.language.parameters import Parameters
from metering.usage.windows import (
    BUCKET_MINUTES,
    HOUR_MINUTES,
    QUARTER_DAY_MINUTES,
    Window,
    bucket_of,
    split,
)
from models import ALL_CUSTOMERS
from models.dimension import QUARTER_DAYS

# If windows are this long, one index lookup for each is faster than sorting all buckets into
# windows. If there are many, most may be empty, and the lookups cost too much.
_LONG = timedelta(days=1)
# Days may be cut in two at the ends of the range and of months. Most have whole six hours then.
_LONGER_THAN_SIX_HOURS = timedelta(hours=12)
_MANY = 1_000

_WINDOW_BY_WINDOW = """
    SELECT asked.*, part.ordinal, whole.*
    FROM {asked}
    CROSS JOIN unnest({ranges}) AS part (ordinal, starts_at, ends_at)
    CROSS JOIN LATERAL (
        SELECT {columns}
        FROM {table} kept
        WHERE kept.organization_id = $1 AND kept.meter_id = asked.meter_id
          AND kept.customer_id = {customer}
          AND kept.bucket >= part.starts_at AND kept.bucket < part.ends_at
        {grouping}
    ) AS whole
"""

_OWNER_BY_OWNER = """
    SELECT asked.*, part.ordinal, whole.*
    FROM {asked}
    CROSS JOIN unnest({ranges}) AS part (ordinal, owner, starts_at, ends_at)
    CROSS JOIN LATERAL (
        SELECT {columns}
        FROM {table} kept
        WHERE kept.organization_id = $1 AND kept.meter_id = asked.meter_id
          AND kept.customer_id = part.owner
          AND kept.bucket >= part.starts_at AND kept.bucket < part.ends_at
        {grouping}
    ) AS whole
"""

# A bucket's window is computed, not joined. A lateral for each meter groups by window only;
# grouping by meter and window takes a tenth longer.
_AT_ONCE = """
    SELECT asked.*, whole.*
    FROM {asked}
    CROSS JOIN LATERAL (
        SELECT {ordinal} AS ordinal, {columns}
        FROM {table} kept
        WHERE kept.organization_id = $1 AND kept.meter_id = asked.meter_id
          AND kept.customer_id = {customer}
          AND kept.bucket >= {start} AND kept.bucket < {end} {unbroken}
        {grouping}
    ) AS whole
"""


def whole_buckets(
    windows: Sequence[Window], parameters: Parameters, minutes: int = BUCKET_MINUTES
) -> Callable[..., str]:
    """Returns a function that writes a SELECT over the windows' whole buckets of so many minutes.

    The SELECT reads the organization $1 and the customer $2, and returns meter_id, ordinal and
    `columns`. Arguments of the function: `meters`, an array; `table`, with the alias `kept`;
    `columns`; and `distinct`, those columns that are not aggregated but grouped by. With
    `customers`, a table of meter_id and customer_id, it reads those and returns customer_id too.
    """
    if _are_long(windows):
        parts = enumerate((split(window, minutes) for window in windows), start=1)
        ranges = _arrays([(ordinal, part.start, part.end) for ordinal, part in parts], parameters)
        return partial(_written, _WINDOW_BY_WINDOW, (), ranges=ranges)
    whole = split(Window(windows[0].start, windows[-1].end), minutes)
    length = _length(windows)
    return partial(
        _written,
        _AT_ONCE,
        ("1",),
        ordinal=_ordinal(windows, length, parameters),
        start=parameters.add(whole.start, "timestamptz"),
        end=parameters.add(whole.end, "timestamptz"),
        unbroken=_unbroken(windows, length, parameters, minutes),
    )


def whole_hours_of_all_customers(
    windows: Sequence[Window], parameters: Parameters
) -> Callable[..., str]:
    """As `whole_buckets`, over `dimension_bucket` of all customers.

    Of long windows, it reads rows of six hours, and rows of an hour only around them. There may be
    several rows for a window, and its `columns`.
    """
    if not _are_long(windows, _LONGER_THAN_SIX_HOURS):
        return whole_buckets(windows, parameters, HOUR_MINUTES)
    ranges: list[tuple[int, UUID, datetime, datetime]] = []
    for ordinal, window in enumerate(windows, start=1):
        hours = split(window, HOUR_MINUTES)
        whole = split(Window(hours.start, hours.end), QUARTER_DAY_MINUTES)
        ranges += ((ordinal, ALL_CUSTOMERS, edge.start, edge.end) for edge in whole.edges)
        if whole.start < whole.end:
            ranges.append((ordinal, QUARTER_DAYS, whole.start, whole.end))
    types = ("int[]", "uuid[]", "timestamptz[]", "timestamptz[]")
    columns = zip(*ranges, strict=True) if ranges else ((),) * len(types)
    return partial(
        _written, _OWNER_BY_OWNER, (), ranges=", ".join(map(parameters.add, columns, types))
    )


def _are_long(windows: Sequence[Window], least: timedelta = _LONG) -> bool:
    average = (windows[-1].end - windows[0].start) / len(windows)
    return average >= least and len(windows) <= _MANY


def _written(
    statement: str,
    window: tuple[str, ...],
    *,
    meters: str,
    customers: str = "",
    distinct: tuple[str, ...] = (),
    **parts: str,
) -> str:
    grouping = ", ".join((*window, *distinct))
    return statement.format(
        asked=f"{customers} AS asked" if customers else f"unnest({meters}) AS asked (meter_id)",
        customer="asked.customer_id" if customers else "$2",
        grouping=f"GROUP BY {grouping}" if grouping else "",
        **parts,
    )


def edges_of(
    windows: Sequence[Window],
    parameters: Parameters,
    minutes: int = BUCKET_MINUTES,
    *,
    before: Sequence[Window] = (),
) -> str:
    """Writes the windows' edges as arrays of ordinals, starts and ends; "" if there are none.

    `before` are edges of the ordinal 0.
    """
    ends = (windows[0].start, windows[-1].end)
    are_whole = all(bucket_of(end, minutes) == end for end in ends)
    if are_whole and not _broken(windows, _length(windows), minutes):
        return ""
    edges = [(0, edge.start, edge.end) for edge in before]
    edges += [
        (ordinal, edge.start, edge.end)
        for ordinal, window in enumerate(windows, start=1)
        for edge in split(window, minutes).edges
    ]
    return _arrays(edges, parameters) if edges else ""


def _length(windows: Sequence[Window]) -> timedelta | None:
    """Returns the length of all windows but the first and the last, which are no longer.

    None if there are no others, or they differ, as days in a zone do when its clocks change.
    """
    lengths = {end - start for start, end in windows[1:-1]}
    if len(lengths) != 1:
        return None
    [length] = lengths
    ends = (windows[0], windows[-1])
    return length if all(end - start <= length for start, end in ends) else None


def _ordinal(windows: Sequence[Window], length: timedelta | None, parameters: Parameters) -> str:
    """Writes the number of the window in which a bucket begins.

    If they are of one length, as most hours are, their starts need not be sent and searched.
    """
    if length is None:
        starts = parameters.add(tuple(window.start for window in windows), "timestamptz[]")
        return f"width_bucket(kept.bucket, {starts})"
    second = parameters.add(windows[0].end, "timestamptz")
    seconds = parameters.add(length.total_seconds(), "float8")
    return f"2 + floor(date_part('epoch', kept.bucket - {second}) / {seconds})::int"


def _unbroken(
    windows: Sequence[Window], length: timedelta | None, parameters: Parameters, minutes: int
) -> str:
    """Writes a condition that excludes the buckets in which one window ends and the next begins.

    They exist only where a time zone's offset is not a multiple of a bucket's length.
    """
    bounds = _broken(windows, length, minutes)
    if not bounds:
        return ""
    broken = tuple(sorted({bucket_of(bound, minutes) for bound in bounds}))
    return f"AND kept.bucket <> ALL ({parameters.add(broken, 'timestamptz[]')})"


def _broken(
    windows: Sequence[Window], length: timedelta | None, minutes: int
) -> Sequence[datetime]:
    """Returns the instants between two windows that are not between two buckets."""
    second = windows[0].end
    is_alike = length is not None and not length % timedelta(minutes=minutes)
    if is_alike and bucket_of(second, minutes) == second:
        return ()
    return [window.end for window in windows[:-1] if bucket_of(window.end, minutes) != window.end]


def _arrays(ranges: Sequence[tuple[int, datetime, datetime]], parameters: Parameters) -> str:
    types = ("int[]", "timestamptz[]", "timestamptz[]")
    return ", ".join(map(parameters.add, zip(*ranges, strict=True), types))

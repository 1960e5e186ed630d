"""Reads a preview's chart from the raw events: what the meter would count over time."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from tortoise.backends.base.client import BaseDBAsyncClient

from metering.language.aggregations import Aggregation
from metering.language.filters import Filter
from metering.language.parameters import Parameters, select_list
from metering.usage.preview import (
    PREVIEW_SECONDS,
    PreviewSelection,
    carried_preview_sql,
    check_still_stored,
    previewing,
    stored_part,
    where_sql,
)
from metering.usage.ranges import Quantities, Quantity
from metering.usage.windows import Interval, RangeError, Window, windows

PREVIEW_POINTS = 1_000
_MOMENT = timedelta(microseconds=1)

_ENDS = "SELECT min(e.timestamp) AS first, max(e.timestamp) AS last FROM event e WHERE {where}"

# The window 0 is the whole range.
_SERIES = """
WITH matched AS MATERIALIZED (
    SELECT width_bucket(e.timestamp, {starts}) AS ordinal, e.id, e.timestamp, {value} AS value
    FROM event e WHERE {where}
), merged AS (
    SELECT coalesce(ordinal, 0) AS ordinal, {state}, {unique_count} AS unique_count
    FROM matched GROUP BY GROUPING SETS ((ordinal), ())
)
SELECT ordinal, {quantity} AS quantity, count AS counted, skipped FROM merged
"""


@dataclass(frozen=True, slots=True)
class Previewed:
    """The events that a preview reads, and how it aggregates them."""

    filter: Filter
    aggregation: Aggregation
    selection: PreviewSelection


async def preview_series(
    organization_id: UUID,
    previewed: Previewed,
    interval: Interval,
    zone: ZoneInfo,
    *,
    seconds: float = PREVIEW_SECONDS,
) -> tuple[list[Window], Quantities]:
    """Returns the windows of the previewed range, and what a meter would count in each.

    A side without a bound ends at the first or the last matching event. Raises PreviewTimeoutError
    if it takes longer than `seconds`, and RangeError for an impossible range or archived events.
    """
    async with previewing(seconds) as connection:
        previewed = replace(previewed, selection=await stored_part(connection, previewed.selection))
        selection = await _bounded(connection, organization_id, previewed)
        points: list[Window] = []
        if selection.start is not None and selection.end is not None:
            points = windows(selection.start, selection.end, interval, zone)
        if len(points) > PREVIEW_POINTS:
            raise RangeError(
                "interval",
                f"The chart would have {len(points):,} points; at most {PREVIEW_POINTS:,} are "
                "allowed.",
            )
        found: Mapping[int, Quantity] = {}
        if points:
            bounded = replace(previewed, selection=selection)
            found = await _counted(connection, organization_id, bounded, points)
        await check_still_stored(connection, previewed.selection)
    nothing = Quantity(previewed.aggregation.calculation().of_nothing)
    return points, Quantities(
        tuple(found.get(ordinal, nothing) for ordinal in range(1, len(points) + 1)),
        found.get(0, nothing),
    )


async def _bounded(
    connection: BaseDBAsyncClient, organization_id: UUID, previewed: Previewed
) -> PreviewSelection:
    """Returns the selection with both bounds, or unchanged if nothing matches."""
    selection = previewed.selection
    if selection.start is not None and selection.end is not None:
        return selection
    parameters = Parameters()
    where = where_sql(organization_id, previewed.filter, selection, parameters)
    (ends,) = await connection.execute_query_dict(_ENDS.format(where=where), parameters.values)
    first: datetime | None = ends["first"]
    if first is None:
        return selection
    return replace(
        selection,
        start=first if selection.start is None else selection.start,
        end=ends["last"] + _MOMENT if selection.end is None else selection.end,
    )


async def _counted(
    connection: BaseDBAsyncClient,
    organization_id: UUID,
    previewed: Previewed,
    points: list[Window],
) -> Mapping[int, Quantity]:
    parameters = Parameters()
    statement = _statement(organization_id, previewed, points, parameters)
    rows = await connection.execute_query_dict(statement, parameters.values)
    return {
        row["ordinal"]: Quantity(row["quantity"], row["counted"], row["skipped"]) for row in rows
    }


def _statement(
    organization_id: UUID, previewed: Previewed, points: list[Window], parameters: Parameters
) -> str:
    aggregation, selection = previewed.aggregation, previewed.selection
    if aggregation.lasts():
        return carried_preview_sql(
            organization_id, previewed.filter, aggregation, selection, points, parameters
        )
    is_unique = aggregation.calculation().keeps_values
    return _SERIES.format(
        starts=parameters.add(tuple(point.start for point in points), "timestamptz[]"),
        value=aggregation.value_sql(parameters, is_preview=True),
        where=where_sql(organization_id, previewed.filter, selection, parameters),
        state=select_list(aggregation.of_events()),
        unique_count="count(DISTINCT value)" if is_unique else "0",
        quantity=aggregation.quantity_sql("merged"),
    )

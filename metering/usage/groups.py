"""Reads quantities of a meter by the values of its dimensions, over a range and its windows.

As in `metering.usage.ranges`, a range is its whole hours plus the raw events at its edges, and one
statement reads both. An edge includes the batches up to the position of the meter's dimensions.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, date, datetime
from typing import Any
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from metering.archive.boundary import reading_edges
from metering.counting.dimensions import MAXIMUM_COMBINATIONS, texts_sql
from metering.language.definition import MeterDefinition
from metering.language.parameters import Parameters, select_list
from metering.usage.bucket_ranges import (
    edges_of,
    whole_buckets,
    whole_hours_of_all_customers,
)
from metering.usage.edges import edge_events
from metering.usage.grouping import (
    DimensionValue,
    Grouping,
    Places,
    labels_sql,
    only_sql,
    places_of,
)
from metering.usage.ranges import Quantities, quantities_of, usage_sql
from metering.usage.windows import HOUR_MINUTES, Window
from models import ALL_CUSTOMERS
from models.meter import CLEARING

MAXIMUM_GROUP_POINTS = 50_000
"""An answer has at most so many points in all groups, and MAXIMUM_COMBINATIONS groups."""

_END_OF_TIME = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Group:
    """The usage of the events with these values, one for each dimension of the grouping.

    `is_other`: the events of all combinations that have no group, and no values.
    """

    values: tuple[DimensionValue, ...]
    is_other: bool
    usage: Quantities


@dataclass(frozen=True, slots=True)
class GroupedUsage:
    """The groups with events, the largest first, and the usage of all events together."""

    groups: tuple[Group, ...]
    usage: Quantities


# The windows are cut into pieces at the ends of months, because combinations are numbered by month.
# Nothing counts while the dimensions are not those that the caller knows. The labels of OTHER are
# an empty array.
_GROUPS = """
WITH asked_for AS MATERIALIZED (
    SELECT EXISTS (
        SELECT FROM meter
        WHERE organization_id = $1 AND id = $3 AND dimensions = {dimensions}
          AND dimensions_position IS DISTINCT FROM {clearing}
    ) AS are_kept
), known AS MATERIALIZED (
    SELECT month, combination, texts FROM dimension_combination
    WHERE organization_id = $1 AND meter_id = $3 AND customer_id = $2
      AND month BETWEEN {first_month} AND {last_month}
), partial AS MATERIALIZED (
    {partials}
), ranked AS (
    SELECT labels, row_number() OVER (ORDER BY sum(count + skipped) DESC, labels) AS place
    FROM partial WHERE labels <> '{{}}' GROUP BY labels
), chosen AS MATERIALIZED (
    SELECT labels AS own_labels,
           CASE WHEN place <= {most} THEN labels ELSE '{{}}' END AS labels
    FROM ranked
    UNION ALL
    SELECT '{{}}', '{{}}'
), merged AS (
    SELECT coalesce(number, 0) AS number, GROUPING(chosen.labels) = 1 AS is_all,
           coalesce(chosen.labels, '{{}}') AS labels, {merged}
    FROM partial JOIN chosen ON chosen.own_labels = partial.labels
    GROUP BY GROUPING SETS ((number, chosen.labels), (chosen.labels) {of_all})
) {values}
SELECT CASE WHEN NOT is_all THEN labels END AS labels, array_agg(number) AS numbers,
       array_agg({quantity}) AS quantity, array_agg(count) AS count, array_agg(skipped) AS skipped
FROM {merged_rows} AS whole
WHERE count + skipped > 0 AND {wanted}
GROUP BY is_all, labels
"""

_VALUES = """
, used AS (
    {used}
), distinct_values AS (
    SELECT coalesce(number, 0) AS number, GROUPING(chosen.labels) = 1 AS is_all,
           coalesce(chosen.labels, '{{}}') AS labels, count(DISTINCT value) AS unique_count
    FROM used JOIN chosen ON chosen.own_labels = used.labels
    GROUP BY GROUPING SETS ((number, chosen.labels), (chosen.labels) {of_all})
)
"""

_MERGED_WITH_VALUES = """(
    SELECT merged.*, coalesce(unique_count, 0) AS unique_count
    FROM merged LEFT JOIN distinct_values USING (number, is_all, labels)
)"""

# A join with the pieces would be a nested loop. An element of an array is there in an instant.
_PART = """
    SELECT number, labels, {columns}
    FROM (
        SELECT ({numbers})[part.ordinal] AS number, {labels} AS labels, known.texts, {columns}
        FROM ({part}) AS part
        LEFT JOIN known ON known.month = ({months})[part.ordinal] AND known.{key} = part.{key}
        WHERE (SELECT are_kept FROM asked_for)
    ) AS part
    {only}
"""


# By whether there are dimensions to group by, and values to include: the groups, and the usage of
# all of them, which is not that of the meter if it includes only some values.
_WANTED = {
    (True, True): "true",
    (True, False): "NOT is_all",
    (False, True): "is_all",
    (False, False): "false",
}


async def grouped_usage(
    connection: BaseDBAsyncClient,
    meter: MeterDefinition,
    windows: Sequence[Window],
    grouping: Grouping,
    customer_id: UUID | None = None,
) -> GroupedUsage:
    """Reads the quantities by group and together, of all customers or of one.

    `windows` follow each other without gaps. If there are too many groups for an answer, those with
    the fewest events are part of the other group. Raises RangeError if the grouping names no
    dimension of the meter, and EventsArchivedError if an edge of the range needs archived events.
    """
    places = places_of(meter, grouping)
    function = meter.aggregation.function
    groups: list[Group] = []
    together = quantities_of(function, ((), (), (), ()), len(windows))
    if windows:
        parameters = Parameters(meter.organization_id, customer_id or ALL_CUSTOMERS, meter.id)
        statement = _statement(meter, windows, grouping, places, parameters, customer_id)
        if not grouping.only:
            # Totals are right while the dimensions catch up.
            totals = usage_sql(meter, windows, customer_id, parameters)
            named = "AS total (meter_id, numbers, quantity, count, skipped)"
            statement += (
                f" UNION ALL SELECT NULL, numbers, quantity, count, skipped FROM {totals} {named}"
            )
        with reading_edges("hours"):
            _, rows = await connection.execute_query(statement, parameters.values)
        for labels, *columns in rows:
            used = quantities_of(function, columns, len(windows))
            if labels is None:
                together = used
            else:
                values = tuple(map(DimensionValue, grouping.by, labels))
                groups.append(Group(values, not labels, used))
    return GroupedUsage(tuple(sorted(groups, key=_order)), together)


def _order(group: Group) -> tuple[Any, ...]:
    """The greatest quantity first, null and then the other group last; equal ones by value."""
    quantity = group.usage.total.quantity
    values = [(value.value is None, value.value or "") for value in group.values]
    return (group.is_other, quantity is None, -(quantity or 0), values)


def _pieces(windows: Sequence[Window]) -> list[tuple[int, date, Window]]:
    """Cuts the windows at the ends of months in UTC: (number of the window, month, piece)."""
    pieces = []
    for number, window in enumerate(windows, start=1):
        start = window.start
        while start < window.end:
            end = min(_month_after(start), window.end)
            pieces.append((number, start.date().replace(day=1), Window(start, end)))
            start = end
    return pieces


def _month_after(instant: datetime) -> datetime:
    years, month = divmod(instant.month, 12)
    year = instant.year + years
    return datetime(year, month + 1, 1, tzinfo=UTC) if year <= MAXYEAR else _END_OF_TIME


def _statement(  # each argument is a part of the question
    meter: MeterDefinition,
    windows: Sequence[Window],
    grouping: Grouping,
    places: Places,
    parameters: Parameters,
    customer_id: UUID | None,
) -> str:
    aggregation = meter.aggregation
    pieces = _pieces(windows)
    cut = [piece for _, _, piece in pieces]
    edges = edges_of(cut, parameters, HOUR_MINUTES)
    labels, only = labels_sql(grouping, places), only_sql(grouping, places, parameters)
    months = [month for _, month, _ in pieces]
    numbered = {
        "numbers": parameters.add(tuple(number for number, _, _ in pieces), "int[]"),
        "months": parameters.add(tuple(months), "date[]"),
        "labels": labels,
        "only": only,
    }
    of_all = ", (number), ()" if grouping.only else ""
    ids = parameters.add((meter.id,), "uuid[]")
    # A parameter that the statement does not use would have no type.
    texts = texts_sql(meter, parameters) if edges else ""
    of_customer = "" if customer_id is None else "AND e.customer_id = $2"

    def union(
        how: str,
        table: str,
        whole: Callable[..., str],
        columns: dict[str, tuple[str, str]],
        distinct: str = "",
    ) -> str:
        named = ", ".join(columns)
        of_buckets = select_list({column: sql for column, (sql, _) in columns.items()})
        of_events = select_list({column: sql for column, (_, sql) in columns.items()})
        grouping_columns = ("kept.combination", *([distinct] if distinct else []))
        parts = [
            _PART.format(
                columns=named,
                key="combination",
                **numbered,
                part=whole(
                    meters=ids,
                    table=table,
                    columns=f"kept.combination, {of_buckets}",
                    distinct=grouping_columns,
                ),
            )
        ]
        if edges:
            events = edge_events(
                meter,
                edges,
                f"{texts} AS texts, {of_events}",
                parameters,
                condition=of_customer,
                grouping="GROUP BY 1" if not distinct else "",
                position="coalesce(dimensions_position, position)",
            )
            parts.append(_PART.format(columns=named, key="texts", **numbered, part=events))
        return how.join(parts)

    of_partials, of_events = (
        aggregation.of_partials("kept"),
        aggregation.of_events("counted.value", "e.timestamp", "e.id"),
    )
    states = {column: (sql, of_events[column]) for column, sql in of_partials.items()}
    whole = (
        whole_hours_of_all_customers(cut, parameters)
        if customer_id is None
        else whole_buckets(cut, parameters, HOUR_MINUTES)
    )
    values, merged_rows = "", "merged"
    if meter.keeps_values:
        value = {"value": ("kept.value", "counted.value")}
        hours = whole_buckets(cut, parameters, HOUR_MINUTES)
        used = union(" UNION ", "dimension_value", hours, value, "kept.value")
        values, merged_rows = _VALUES.format(used=used, of_all=of_all), _MERGED_WITH_VALUES
    return _GROUPS.format(
        dimensions=parameters.add(meter.dimensions, "text[]"),
        clearing=CLEARING,
        first_month=parameters.add(months[0], "date"),
        last_month=parameters.add(months[-1], "date"),
        partials=union(" UNION ALL ", "dimension_bucket", whole, states),
        most=min(MAXIMUM_COMBINATIONS, MAXIMUM_GROUP_POINTS // len(windows)),
        merged=select_list(aggregation.of_partials("partial")),
        of_all=of_all,
        values=values,
        quantity=aggregation.quantity_sql("whole"),
        merged_rows=merged_rows,
        wanted=_WANTED[bool(grouping.by), bool(grouping.only)],
    )

"""Usage of meters over a range, in total and interval by interval (design, section 3).

A range is the whole buckets inside it and the raw events at its edges. One statement reads both,
so that they are of one snapshot, and all points of all meters. An edge counts the events that the
meter has counted, those of batches up to its position, as the buckets do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from metering.aggregations import AggregationFunction, quantity_of_nothing, quantity_sql
from metering.definition import MeterDefinition
from metering.parameters import Parameters
from metering.partials import merged_partials_sql, partial_sql, select_list
from metering.predicates import predicate_sql
from metering.uncounted import counted_sql
from metering.windows import Window, bucket_of, split
from models import EVERYBODY


class Quantity(NamedTuple):
    """An aggregate: `counted` events had a value, `skipped` matched without one."""

    quantity: Decimal | None
    counted: int = 0
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class Usage:
    """A quantity for each window, and the aggregate over all of them."""

    points: tuple[Quantity, ...]
    total: Quantity


# width_bucket finds a bucket's window by binary search, which a join would not. Each meter is read
# by a lateral, which groups by windows only: by meters, too, takes a tenth longer.
_WHOLE_BUCKETS = """
    SELECT asked.meter_id, whole.*
    FROM unnest({meters}) AS asked (meter_id)
    CROSS JOIN LATERAL (
        SELECT width_bucket(kept.bucket, $3::timestamptz[]) AS ordinal, {columns}
        FROM {table} kept
        WHERE kept.organization_id = $1 AND kept.meter_id = asked.meter_id
          AND kept.customer_id = $2 AND kept.bucket >= $4 AND kept.bucket < $5 {unbroken}
        GROUP BY {grouping}
    ) AS whole
"""

# The batch is asked by a subquery of one row and each edge by a lateral, so that an edge is always
# answered by an index: the planner does not know how short edges are.
_EDGE_EVENTS = """
    SELECT {meter} AS meter_id, edge.ordinal, raw.*
    FROM unnest({edges}) AS edge (ordinal, starts_at, ends_at)
    CROSS JOIN LATERAL (
        SELECT {columns}
        FROM event e
        CROSS JOIN LATERAL (SELECT {value} AS value) AS counted
        WHERE e.organization_id = $1
          AND e.timestamp >= edge.starts_at AND e.timestamp < edge.ends_at
          AND {predicate} {of_customer} AND {counted}
          AND (
              SELECT batch.position FROM event_batch batch
              WHERE batch.organization_id = $1 AND batch.id = e.batch_id
          ) <= (
              SELECT coalesce(position, {no_end}) FROM meter
              WHERE organization_id = $1 AND id = {meter}
          )
    ) AS raw
"""

# A row a meter: as rows of their own, the points would take longer to read than to make.
_USAGE = """(
WITH partial AS (
    {partials}
), merged AS (
    SELECT meter_id, coalesce(ordinal, {total}) AS ordinal, {merged}
    FROM partial GROUP BY GROUPING SETS ((meter_id, ordinal), (meter_id))
) {values}
SELECT meter_id, array_agg(ordinal), array_agg({quantity}), array_agg(count), array_agg(skipped)
FROM {merged_rows} AS whole
GROUP BY meter_id
)"""

_VALUES = """
, used AS (
    {used}
), distinct_values AS (
    SELECT meter_id, ordinal, count(value) AS unique_count FROM used GROUP BY meter_id, ordinal
    UNION ALL
    SELECT meter_id, {total}, count(DISTINCT value) FROM used GROUP BY meter_id
)
"""

_MERGED_WITH_VALUES = """(
    SELECT merged.*, coalesce(unique_count, 0) AS unique_count
    FROM merged LEFT JOIN distinct_values USING (meter_id, ordinal)
)"""

_NO_END = 2**63 - 1
# The ordinal of the row that is over all windows, which are counted from 1.
_TOTAL = 0


async def usage(
    connection: BaseDBAsyncClient,
    meter: MeterDefinition,
    windows: Sequence[Window],
    customer_id: UUID | None = None,
) -> Usage:
    """The usage of everybody, or of one customer, in each window and over all of them.

    `windows` follow each other without gaps, as those of `metering.windows` do.
    """
    [used] = await usage_of_meters(connection, [meter], windows, customer_id)
    return used


async def usage_of_meters(
    connection: BaseDBAsyncClient,
    meters: Sequence[MeterDefinition],
    windows: Sequence[Window],
    customer_id: UUID | None = None,
) -> list[Usage]:
    """The same on each of an organization's meters, in their order, by one statement.

    A meter may be asked for more than once.
    """
    alike: dict[AggregationFunction, list[MeterDefinition]] = {}
    # Once each: a meter that stood twice in a statement would have its edges counted twice.
    for meter in {meter.id: meter for meter in meters}.values():
        alike.setdefault(meter.aggregation.function, []).append(meter)
    found: dict[UUID, dict[int, Quantity]] = {meter.id: {} for meter in meters}
    if alike and windows:
        parameters = _parameters(meters[0].organization_id, windows, customer_id)
        edges = _edges(windows, parameters)
        unbroken = _unbroken(windows, parameters) if edges else ""
        # In one order, so that the statement is prepared once whatever meter comes first.
        statement = " UNION ALL ".join(
            _statement(group, edges, unbroken, customer_id, parameters)
            for _, group in sorted(alike.items())
        )
        _, rows = await connection.execute_query(statement, parameters.values)
        for meter_id, ordinals, *columns in rows:
            quantities = map(Quantity._make, zip(*columns, strict=True))
            found[meter_id] = dict(zip(ordinals, quantities, strict=True))
    return [_usage(meter.aggregation.function, found[meter.id], len(windows)) for meter in meters]


def _usage(function: AggregationFunction, found: Mapping[int, Quantity], windows: int) -> Usage:
    nothing = Quantity(quantity_of_nothing(function))
    points = tuple(found.get(ordinal, nothing) for ordinal in range(1, windows + 1))
    return Usage(points, found.get(_TOTAL, nothing))


def _parameters(
    organization_id: UUID, windows: Sequence[Window], customer_id: UUID | None
) -> Parameters:
    whole = split(Window(windows[0].start, windows[-1].end))
    return Parameters(
        organization_id,
        customer_id or EVERYBODY,
        [window.start for window in windows],
        whole.start,
        whole.end,
    )


def _statement(
    meters: Sequence[MeterDefinition],
    edges: str,
    unbroken: str,
    customer_id: UUID | None,
    parameters: Parameters,
) -> str:
    """`meters` aggregate by one function."""
    aggregation = meters[0].aggregation
    ids = parameters.add(tuple(meter.id for meter in meters), "uuid[]")
    of_buckets = merged_partials_sql(aggregation, "kept")
    of_events = partial_sql(aggregation, "counted.value", "e.timestamp", "e.id")

    def union(how: str, table: str, whole: str, grouping: str, edge: str) -> str:
        buckets = _WHOLE_BUCKETS.format(
            table=table, columns=whole, meters=ids, unbroken=unbroken, grouping=grouping
        )
        events = [
            _edge_events(meter, edges, edge, customer_id, parameters)
            for meter in (meters if edges else ())
        ]
        return how.join([buckets, *events])

    values, merged_rows = "", "merged"
    if aggregation.function is AggregationFunction.UNIQUE:
        used = union(" UNION ", "usage_value", "kept.value", "1, 2", "counted.value")
        values, merged_rows = _VALUES.format(used=used, total=_TOTAL), _MERGED_WITH_VALUES
    return _USAGE.format(
        partials=union(
            " UNION ALL ",
            "usage_bucket",
            select_list(of_buckets),
            "1",
            select_list({column: of_events[column] for column in of_buckets}),
        ),
        values=values,
        merged=select_list(merged_partials_sql(aggregation, "partial")),
        merged_rows=merged_rows,
        quantity=quantity_sql(aggregation.function, "whole"),
        total=_TOTAL,
    )


def _edges(windows: Sequence[Window], parameters: Parameters) -> str:
    """The windows' edges as arrays of ordinals, starts and ends; empty where there are none."""
    bounds = (*(window.start for window in windows), windows[-1].end)
    if all(bucket_of(bound) == bound for bound in bounds):
        return ""
    edges = [
        (ordinal, edge.start, edge.end)
        for ordinal, window in enumerate(windows, start=1)
        for edge in split(window).edges
    ]
    if not edges:
        return ""
    types = ("int[]", "timestamptz[]", "timestamptz[]")
    columns = zip(zip(*edges, strict=True), types, strict=True)
    return ", ".join(parameters.add(column, type_) for column, type_ in columns)


def _edge_events(
    meter: MeterDefinition,
    edges: str,
    columns: str,
    customer_id: UUID | None,
    parameters: Parameters,
) -> str:
    mark = parameters.add(meter.id, "uuid")
    return _EDGE_EVENTS.format(
        meter=mark,
        edges=edges,
        columns=columns,
        value=meter.aggregation.value_sql(parameters),
        predicate=predicate_sql(meter.filter, parameters),
        of_customer="" if customer_id is None else "AND e.customer_id = $2",
        counted=counted_sql(meter=mark),
        no_end=_NO_END,
    )


def _unbroken(windows: Sequence[Window], parameters: Parameters) -> str:
    """Leaves out the buckets in which one window ends and the next begins.

    There are some only in zones and times whose offset is no multiple of a bucket.
    """
    bounds = {left.end for left, _ in pairwise(windows) if (bucket_of(left.end) != left.end)}
    if not bounds:
        return ""
    broken: tuple[datetime, ...] = tuple(sorted({bucket_of(bound) for bound in bounds}))
    return f"AND kept.bucket <> ALL ({parameters.add(broken, 'timestamptz[]')})"

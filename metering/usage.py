"""Usage of a meter over a range, in total and interval by interval (design, section 3).

A range is the whole buckets inside it and the raw events at its edges. One statement reads both,
so that they are of one snapshot, and all points at once. An edge counts the events that the meter
has counted, those of batches up to its position, as the buckets do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from metering.aggregations import AggregationFunction, quantity_of_nothing, quantity_sql
from metering.definition import MeterDefinition
from metering.parameters import Parameters
from metering.partials import merged_partials_sql, partial_sql
from metering.predicates import predicate_sql
from metering.uncounted import counted_sql
from metering.windows import Window, bucket_of, split
from models import EVERYBODY


@dataclass(frozen=True, slots=True)
class Quantity:
    """An aggregate: `counted` events had a value, `skipped` matched without one."""

    quantity: Decimal | None
    counted: int = 0
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class Usage:
    """A quantity for each window, and the aggregate over all of them."""

    points: tuple[Quantity, ...]
    total: Quantity


# width_bucket finds a bucket's window by binary search, which a join would not.
_WHOLE_BUCKETS = """
    FROM {table} kept
    WHERE kept.organization_id = $1 AND kept.meter_id = $2 AND kept.customer_id = $3
      AND kept.bucket >= $5 AND kept.bucket < $6 {unbroken}
"""

# The batch is asked by a subquery of one row and each edge by a lateral, so that an edge is always
# answered by an index: the planner does not know how short edges are.
_EDGE_EVENTS = """
    FROM event e
    CROSS JOIN LATERAL (SELECT {value} AS value) AS counted
    WHERE e.organization_id = $1 AND e.timestamp >= edge.starts_at AND e.timestamp < edge.ends_at
      AND {predicate} {of_customer} AND {counted}
      AND (
          SELECT batch.position FROM event_batch batch
          WHERE batch.organization_id = $1 AND batch.id = e.batch_id
      ) <= (SELECT through FROM progress)
"""

_USAGE = """
WITH progress AS (
    SELECT coalesce(position, {no_end}) AS through
    FROM meter WHERE organization_id = $1 AND id = $2
), edge AS (
    SELECT * FROM unnest($7::int[], $8::timestamptz[], $9::timestamptz[])
        AS edge (ordinal, starts_at, ends_at)
), partial AS (
    SELECT width_bucket(kept.bucket, $4::timestamptz[]) AS ordinal, {of_buckets}
    {buckets}
    GROUP BY 1
    UNION ALL
    SELECT edge.ordinal, raw.*
    FROM edge CROSS JOIN LATERAL (SELECT {of_events} {events}) AS raw
), merged AS (
    SELECT coalesce(ordinal, {total}) AS ordinal, {merged}
    FROM partial GROUP BY GROUPING SETS ((ordinal), ())
) {values}
SELECT ordinal, count AS counted, skipped, {quantity} AS quantity FROM {merged_rows} AS whole
"""

_VALUES = """
, used AS (
    SELECT width_bucket(kept.bucket, $4::timestamptz[]) AS ordinal, kept.value
    {buckets}
    UNION
    SELECT edge.ordinal, raw.value
    FROM edge CROSS JOIN LATERAL (SELECT counted.value {events}) AS raw
    WHERE raw.value IS NOT NULL
), distinct_values AS (
    SELECT ordinal, count(*) AS unique_count FROM used GROUP BY ordinal
    UNION ALL
    SELECT {total}, count(*) FROM (SELECT DISTINCT value FROM used) AS whole
)
"""

_MERGED_WITH_VALUES = """(
    SELECT merged.*, coalesce(unique_count, 0) AS unique_count
    FROM merged LEFT JOIN distinct_values USING (ordinal)
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
    nothing = Quantity(quantity_of_nothing(meter.aggregation.function))
    if not windows:
        return Usage((), nothing)
    parameters = _parameters(meter, windows, customer_id)
    rows = await connection.execute_query_dict(
        _statement(meter, windows, customer_id, parameters), parameters.values
    )
    found = {row.pop("ordinal"): Quantity(**row) for row in rows}
    points = (found.get(ordinal, nothing) for ordinal in range(1, len(windows) + 1))
    return Usage(tuple(points), found[_TOTAL])


def _parameters(
    meter: MeterDefinition, windows: Sequence[Window], customer_id: UUID | None
) -> Parameters:
    edges = [
        (ordinal, edge.start, edge.end)
        for ordinal, window in enumerate(windows, start=1)
        for edge in split(window).edges
    ]
    whole = split(Window(windows[0].start, windows[-1].end))
    return Parameters(
        meter.organization_id,
        meter.id,
        customer_id or EVERYBODY,
        [window.start for window in windows],
        whole.start,
        whole.end,
        *([edge[column] for edge in edges] for column in range(3)),
    )


def _statement(
    meter: MeterDefinition,
    windows: Sequence[Window],
    customer_id: UUID | None,
    parameters: Parameters,
) -> str:
    function = meter.aggregation.function
    of_buckets = merged_partials_sql(meter.aggregation, "kept")
    of_events = partial_sql(meter.aggregation, "counted.value", "e.timestamp", "e.id")
    unbroken = _unbroken(windows, parameters)
    events = _EDGE_EVENTS.format(
        value=meter.aggregation.value_sql(parameters),
        predicate=predicate_sql(meter.filter, parameters),
        of_customer="" if customer_id is None else "AND e.customer_id = $3",
        counted=counted_sql(),
    )
    values, merged_rows = "", "merged"
    if function is AggregationFunction.UNIQUE:
        buckets = _WHOLE_BUCKETS.format(table="usage_value", unbroken=unbroken)
        values = _VALUES.format(buckets=buckets, events=events, total=_TOTAL)
        merged_rows = _MERGED_WITH_VALUES
    return _USAGE.format(
        no_end=_NO_END,
        of_buckets=_select(of_buckets),
        buckets=_WHOLE_BUCKETS.format(table="usage_bucket", unbroken=unbroken),
        of_events=_select({column: of_events[column] for column in of_buckets}),
        events=events,
        values=values,
        merged=_select(merged_partials_sql(meter.aggregation, "partial")),
        merged_rows=merged_rows,
        quantity=quantity_sql(function, "whole"),
        total=_TOTAL,
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


def _select(expressions: dict[str, Any]) -> str:
    return ", ".join(f"{sql} AS {column}" for column, sql in expressions.items())

"""Adds the events of some batches to a meter's buckets, by one statement per meter.

The statement also returns what each customer's current period gains, as a `UsageIncrement`.
`metering.counting.customer_meters` merges increments into `customer_meter`: a short statement
under the log's lock, so that counting a long history does not hold that lock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from metering.counting.dimensions import arrived_columns, count_sql
from metering.language.aggregations import STATE
from metering.language.definition import MeterDefinition
from metering.language.parameters import Parameters, select_list
from metering.language.predicates import predicate_sql
from models import ALL_CUSTOMERS

_ARRIVED = """
WITH arrived AS MATERIALIZED (
    SELECT e.id, e.customer_id, e.timestamp, {value} AS value {columns}
    -- OFFSET 0 is a fence. With a bad estimate, the planner might use the index of the filter's
    -- name or time and read all history of that name for a batch of a few events.
    FROM (
        SELECT * FROM event WHERE organization_id = $1 AND batch_id = ANY($3::bigint[]) OFFSET 0
    ) AS e
    WHERE {predicate}
)
"""

_BUCKET = ", date_bin('15 minutes', e.timestamp, TIMESTAMPTZ '1970-01-01 00:00Z') AS bucket"

_COUNT_BATCHES = """
{arrived},
period AS MATERIALIZED (
    SELECT customer_id, period_start, period_end FROM customer_meter
    WHERE organization_id = $1 AND meter_id = $2 AND period_start IS NOT NULL
      AND customer_id = ANY(ARRAY(SELECT DISTINCT customer_id FROM arrived))
),
matched AS MATERIALIZED (
    SELECT arrived.*, period_start,
           (period_start IS NULL OR timestamp >= period_start)
               AND (period_end IS NULL OR timestamp < period_end) AS in_period
    -- Works as a left join, because each period belongs to a customer that arrived. Unlike one,
    -- it cannot become a nested loop over events and periods.
    FROM arrived FULL JOIN period USING (customer_id)
),
buckets AS (
    INSERT INTO usage_bucket AS kept (
        organization_id, meter_id, customer_id, bucket, {columns}
    )
    SELECT $1, $2, coalesce(customer_id, $4), bucket, {partials}
    FROM matched
    GROUP BY GROUPING SETS ((customer_id, bucket), (bucket))
    -- Rows are stored in the order in which they are read.
    ORDER BY 3, 4
    ON CONFLICT (organization_id, meter_id, customer_id, bucket) DO UPDATE SET
        {merged}
)
{values} {dimensions}
SELECT customer_id, period_start, in_period, {partials}, {distinct_values} AS distinct_values
FROM matched
GROUP BY customer_id, period_start, in_period
"""


_BUCKET_VALUES = """,
bucket_values AS (
    INSERT INTO usage_value (organization_id, meter_id, customer_id, bucket, value)
    SELECT $1, $2, coalesce(customer_id, $4), bucket, value
    FROM matched WHERE value IS NOT NULL
    GROUP BY GROUPING SETS ((customer_id, bucket, value), (bucket, value))
    ON CONFLICT DO NOTHING
)
"""

_DISTINCT_VALUES = "array_agg(DISTINCT value) FILTER (WHERE value IS NOT NULL AND in_period)"


_COUNT_DIMENSIONS = "{arrived}, {dimensions} SELECT 1"


@dataclass(frozen=True, slots=True)
class UsageIncrement:
    """The partial aggregate of a customer's events in some batches on a meter.

    `in_period`: the events are in its current period, which began at `period_start`, or it has no
    such period. Otherwise they are outside of it. `distinct_values`: those in the period, of a
    UNIQUE meter. `state` has the values of the columns STATE.
    """

    meter_id: UUID
    customer_id: UUID
    period_start: datetime | None
    in_period: bool
    count: int
    skipped: int
    distinct_values: Sequence[bytes] | None
    state: tuple[Any, ...]


async def count_batches(
    connection: BaseDBAsyncClient,
    meter: MeterDefinition,
    batch_ids: Sequence[int],
    *,
    with_dimensions: bool,
) -> list[UsageIncrement]:
    """Adds the events that match the meter's filter to its buckets, and to those by dimension.

    Call it once per batch, in the transaction that moves the meter's position.
    """
    if not batch_ids:
        return []
    parameters = _parameters(meter, batch_ids)
    statement = _statement(meter, parameters, with_dimensions=with_dimensions)
    rows = await connection.execute_query_dict(statement, parameters.values)
    return [_increment(meter, row) for row in rows]


async def count_dimensions(
    connection: BaseDBAsyncClient, meter: MeterDefinition, batch_ids: Sequence[int]
) -> None:
    """Adds the events that match the meter's filter to its usage by dimension only.

    Call it once per batch, in the transaction that moves the position of the meter's dimensions.
    """
    if batch_ids:
        parameters = _parameters(meter, batch_ids)
        columns = arrived_columns(meter, parameters)
        statement = _COUNT_DIMENSIONS.format(
            arrived=_arrived(meter, parameters, columns), dimensions=count_sql(meter)
        )
        await connection.execute_query(statement, parameters.values)


def _parameters(meter: MeterDefinition, batch_ids: Sequence[int]) -> Parameters:
    return Parameters(meter.organization_id, meter.id, list(batch_ids), ALL_CUSTOMERS)


def _increment(meter: MeterDefinition, row: dict[str, Any]) -> UsageIncrement:
    state = tuple(row.pop(column.name) for column in STATE)
    return UsageIncrement(meter_id=meter.id, state=state, **row)


async def add_to_totals(
    connection: BaseDBAsyncClient, meter_id: UUID, increments: Sequence[UsageIncrement]
) -> None:
    """Adds the numbers of counted and skipped events to the meter's totals."""
    if increments:
        await connection.execute_query(
            """
            UPDATE meter
            SET counted_events = counted_events + $2, skipped_events = skipped_events + $3
            WHERE id = $1
            """,
            [
                meter_id,
                sum(increment.count for increment in increments),
                sum(increment.skipped for increment in increments),
            ],
        )


def _arrived(meter: MeterDefinition, parameters: Parameters, columns: str) -> str:
    return _ARRIVED.format(
        value=meter.aggregation.value_sql(parameters),
        predicate=predicate_sql(meter.filter, parameters),
        columns=columns,
    )


def _statement(meter: MeterDefinition, parameters: Parameters, *, with_dimensions: bool) -> str:
    keeps_values = meter.keeps_values
    partials = meter.aggregation.of_events()
    merged = meter.aggregation.merged("kept", "excluded")
    return _COUNT_BATCHES.format(
        arrived=_arrived(
            meter,
            parameters,
            _BUCKET + (arrived_columns(meter, parameters) if with_dimensions else ""),
        ),
        columns=", ".join(partials),
        partials=select_list(partials),
        merged=", ".join(f"{column} = {sql}" for column, sql in merged.items()),
        values=_BUCKET_VALUES if keeps_values else "",
        dimensions=f", {count_sql(meter)}" if with_dimensions else "",
        distinct_values=_DISTINCT_VALUES if keeps_values else "NULL::bytea[]",
    )

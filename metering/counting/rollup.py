"""Adds the events of some batches to a meter's buckets, by one statement per meter.

Under the log's lock, the statement also adds them to the cached usage of customers' current
periods. A long history is counted without that lock. Its statement returns what each period gains
as a `UsageIncrement`, and `metering.counting.customer_meters` adds those in a short statement.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from metering.alerts.deciding import TRIGGERED, tell
from metering.batches import Batches, events_of_batches
from metering.counting.dimensions import arrived_columns, count_sql
from metering.counting.merged_usage import kept_sql, merging_sql
from metering.counting.overlapping import again_sql, rebuild_overlapping
from metering.language.aggregations import STATE
from metering.language.definition import MeterDefinition
from metering.language.erased import counted_sql, counted_value_sql
from metering.language.parameters import Parameters, select_list
from metering.language.predicates import predicate_sql
from metering.usage.periods import begin_again
from models import ALL_CUSTOMERS
from models.identifiers import new_id

# The time and the version of an id, as text.
_ID_PREFIX = 15

_ARRIVED = """
WITH arrived AS MATERIALIZED (
    SELECT e.id, e.customer_id, e.timestamp, {value} AS value {columns}
    FROM {events} AS e
    WHERE {predicate}
)
"""

_BUCKET = ", date_bin('15 minutes', e.timestamp, TIMESTAMPTZ '1970-01-01 00:00Z') AS bucket"

_COUNT_BATCHES = """
{arrived}, {kept},
matched AS MATERIALIZED (
    SELECT arrived.*, kept.id AS kept_id, period_start,
           (period_start IS NULL OR timestamp >= period_start)
               AND (period_end IS NULL OR timestamp < period_end) AS in_period
    -- Works as a left join, because each kept row belongs to a customer that arrived. Unlike one,
    -- it cannot become a nested loop over events and customers.
    FROM arrived FULL JOIN kept USING (customer_id)
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

# A new row's id begins with the time, as those of other tables do.
_INCREMENT = """
    SELECT customer_id, CASE
               WHEN kept_id IS NULL
               THEN overlay(gen_random_uuid()::text PLACING {id_prefix} FROM 1)::uuid
           END AS id, {partials}
    FROM matched WHERE in_period
    GROUP BY customer_id, kept_id
"""

_INCREMENT_WITH_VALUES = """
    SELECT counted.*, coalesce(new.unique_count, 0) AS unique_count
    -- As above, a full join instead of a left one.
    FROM ({increment}) AS counted FULL JOIN (
        SELECT customer_id, count(*) AS unique_count FROM new_values GROUP BY customer_id
    ) AS new USING (customer_id)
"""

_NEW_VALUES = """,
new_values AS (
    INSERT INTO customer_meter_value (organization_id, meter_id, customer_id, value)
    SELECT DISTINCT $1, $2, customer_id, value FROM matched
    WHERE in_period AND value IS NOT NULL
    ON CONFLICT DO NOTHING
    RETURNING customer_id
)
"""

_MERGED = """
{new_values}, increment AS MATERIALIZED ({increment}), {merging}
SELECT count(value) AS counted, count(*) - count(value) AS skipped, {triggered} AS triggered,
       {again} AS again
FROM matched
"""

_APART = """
SELECT customer_id, period_start, in_period, {partials}, {distinct_values} AS distinct_values
FROM matched
GROUP BY customer_id, period_start, in_period
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


async def count_step(
    connection: BaseDBAsyncClient,
    meter: MeterDefinition,
    batches: Batches,
    revision: int,
    position: int,
    *,
    is_watched: bool,
) -> None:
    """Adds the events that match a live meter's filter to all that it keeps.

    `position` is that of the last batch. Customer meters that change get the revision. If the
    meter is watched, the alerts trigger that are reached. The caller holds the log's lock; call
    this once per batch.
    """
    parameters = _parameters(meter, batches)
    statement = _step_statement(meter, parameters, revision, is_watched=is_watched)
    [row] = await connection.execute_query_dict(statement, parameters.values)
    await add_to_totals(connection, meter, row["counted"], row["skipped"])
    await tell(connection, meter.organization_id, row["triggered"] or ())
    await rebuild_overlapping(connection, meter, batches, position)
    await begin_again(connection, meter, position, set(row["again"] or ()), revision)


async def count_batches(
    connection: BaseDBAsyncClient,
    meter: MeterDefinition,
    batches: Batches,
    *,
    with_dimensions: bool,
) -> list[UsageIncrement]:
    """Adds the events that match the meter's filter to its buckets, and to those by dimension.

    Returns what customers' current periods gain. Call it once per batch, in the transaction that
    moves the meter's position.
    """
    if not batches.ids:
        return []
    parameters = _parameters(meter, batches)
    counting = _counting(meter, parameters, with_dimensions=with_dimensions, is_history=True)
    statement = counting + _APART.format(
        partials=select_list(meter.aggregation.of_events()),
        distinct_values=_DISTINCT_VALUES if meter.keeps_values else "NULL::bytea[]",
    )
    rows = await connection.execute_query_dict(statement, parameters.values)
    return [_increment(meter, row) for row in rows]


async def count_dimensions(
    connection: BaseDBAsyncClient, meter: MeterDefinition, batches: Batches
) -> None:
    """Adds the events that match the meter's filter to its usage by dimension only.

    Call it once per batch, in the transaction that moves the position of the meter's dimensions.
    """
    if batches.ids:
        parameters = _parameters(meter, batches)
        columns = arrived_columns(meter, parameters)
        statement = _COUNT_DIMENSIONS.format(
            arrived=_arrived(meter, parameters, columns, is_history=True),
            dimensions=count_sql(meter),
        )
        await connection.execute_query(statement, parameters.values)


def _parameters(meter: MeterDefinition, batches: Batches) -> Parameters:
    return Parameters(meter.organization_id, meter.id, batches.ids, ALL_CUSTOMERS, batches.months)


def _increment(meter: MeterDefinition, row: dict[str, Any]) -> UsageIncrement:
    state = tuple(row.pop(column.name) for column in STATE)
    return UsageIncrement(meter_id=meter.id, state=state, **row)


async def add_to_totals(
    connection: BaseDBAsyncClient, meter: MeterDefinition, counted: int, skipped: int
) -> None:
    """Adds numbers of counted and skipped events to the meter's totals."""
    if counted or skipped:
        await connection.execute_query(
            """
            UPDATE meter
            SET counted_events = counted_events + $2, skipped_events = skipped_events + $3
            WHERE organization_id = $4 AND id = $1
            """,
            [meter.id, counted, skipped, meter.organization_id],
        )


def _arrived(
    meter: MeterDefinition, parameters: Parameters, columns: str, *, is_history: bool
) -> str:
    """Events of history may be erased. New ones are not: they are counted before."""
    if is_history:
        value, predicate = counted_value_sql(meter, parameters), counted_sql(meter, parameters)
    else:
        value = meter.aggregation.value_sql(parameters)
        predicate = predicate_sql(meter.filter, parameters)
    return _ARRIVED.format(
        events=events_of_batches("$3", "$5"), value=value, predicate=predicate, columns=columns
    )


def _step_statement(
    meter: MeterDefinition, parameters: Parameters, revision: int, *, is_watched: bool
) -> str:
    """Counts, and merges into `customer_meter`."""
    counting = _counting(
        meter, parameters, with_dimensions=meter.counts_dimensions, is_history=False
    )
    partials = meter.aggregation.of_events()
    increment = _INCREMENT.format(
        id_prefix=parameters.add(str(new_id())[:_ID_PREFIX], "text"),
        partials=select_list({name: partials[name] for name in meter.aggregation.state()}),
    )
    if meter.keeps_values:
        increment = _INCREMENT_WITH_VALUES.format(increment=increment)
    return counting + _MERGED.format(
        new_values=_NEW_VALUES if meter.keeps_values else "",
        increment=increment,
        merging=merging_sql(meter, parameters.add(revision, "bigint"), is_watched=is_watched),
        triggered=TRIGGERED if is_watched else "NULL::uuid[]",
        again=again_sql(meter),
    )


def _counting(
    meter: MeterDefinition, parameters: Parameters, *, with_dimensions: bool, is_history: bool
) -> str:
    """CTEs that count, up to `matched`: the events, and whether they are in current periods."""
    partials = meter.aggregation.of_events()
    merged = meter.aggregation.merged("kept", "excluded")
    return _COUNT_BATCHES.format(
        arrived=_arrived(
            meter,
            parameters,
            _BUCKET + (arrived_columns(meter, parameters) if with_dimensions else ""),
            is_history=is_history,
        ),
        kept=kept_sql(meter, "arrived"),
        columns=", ".join(partials),
        partials=select_list(
            meter.aggregation.of_all_customers(partials, "GROUPING(customer_id) = 1")
        ),
        merged=", ".join(f"{column} = {sql}" for column, sql in merged.items()),
        values=_BUCKET_VALUES if meter.keeps_values else "",
        dimensions=f", {count_sql(meter)}" if with_dimensions else "",
    )

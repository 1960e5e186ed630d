"""Reads the usage of many customers on a meter, each over its own period, in one statement.

A period is its whole buckets plus the raw events at its edges, as far as the meter has counted.
Where those are archived, the edges of periods that may change are kept (`metering.archive`).
Callers hold the log's lock, so that the meter does not move meanwhile.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from metering.alerts.deciding import decide
from metering.archive.kept_edges import events_of_part_sql, is_readable_sql
from metering.counting.noted_changes import noted
from metering.language.aggregations import CUSTOMER_COLUMNS
from metering.language.definition import MeterDefinition
from metering.language.erased import counted_sql, counted_value_sql
from metering.language.parameters import Parameters, arrays, select_list
from metering.usage.carried_periods import carried_sql, ended_sql
from metering.usage.customer_periods import (
    CustomerPeriod,
    begun,
    counted_through_sql,
    ended,
)


@dataclass(frozen=True, slots=True)
class PeriodState:
    """The usage of a period: the units consumed, and the CUSTOMER_COLUMNS they follow from."""

    consumed: Decimal
    columns: Mapping[str, Any]


_PARTS = """
bucket_part AS (
    SELECT * FROM unnest($4::int[], $5::uuid[], $6::timestamptz[], $7::timestamptz[])
        AS part (ordinal, customer_id, starts_at, ends_at)
), edge AS (
    SELECT * FROM unnest($8::int[], $9::uuid[], $10::timestamptz[], $11::timestamptz[])
        AS part (ordinal, customer_id, starts_at, ends_at)
    WHERE {is_readable}
)
"""

# Each lateral aggregates one customer's range, which the index on it always answers.
_WHOLE_BUCKETS = """
    FROM {table} kept
    WHERE kept.organization_id = $1 AND kept.meter_id = $2 AND kept.customer_id = part.customer_id
      AND kept.bucket >= coalesce(part.starts_at, '-infinity')
      AND kept.bucket < coalesce(part.ends_at, 'infinity')
"""

_EDGE_EVENTS = """
    FROM {events} AS e
    CROSS JOIN LATERAL (SELECT {value} AS value) AS counted
    WHERE {predicate} AND {counted}
"""

_USAGE = """
WITH {parts}, partial AS (
    SELECT part.ordinal, whole.*
    FROM bucket_part part CROSS JOIN LATERAL (SELECT {of_buckets} {buckets}) AS whole
    UNION ALL
    SELECT part.ordinal, raw.*
    FROM edge part CROSS JOIN LATERAL (SELECT {of_events} {events}) AS raw
    {carried} {ended}
), used AS (
    {values}
), merged AS (
    SELECT whole.*, coalesce(used.values, 0) AS unique_count
    FROM (SELECT ordinal, {merged} FROM partial GROUP BY ordinal) AS whole
    LEFT JOIN (SELECT ordinal, count(*) AS values FROM used GROUP BY ordinal) AS used
        ON used.ordinal = whole.ordinal
)
SELECT {columns}, coalesce({quantity}, 0) AS consumed FROM merged ORDER BY ordinal
"""

_NO_VALUES = "SELECT NULL::int AS ordinal WHERE false"

# OFFSET 0 keeps the planner from turning the laterals into joins over the values of all customers.
_VALUES = """
    SELECT part.ordinal, part.customer_id, kept.value
    FROM bucket_part part CROSS JOIN LATERAL (SELECT kept.value {buckets} OFFSET 0) AS kept
    UNION
    SELECT part.ordinal, part.customer_id, raw.value
    FROM edge part CROSS JOIN LATERAL (SELECT counted.value {events} OFFSET 0) AS raw
    WHERE raw.value IS NOT NULL
"""

_KEEP_VALUES = """
WITH {parts}, used AS ({values})
INSERT INTO customer_meter_value (organization_id, meter_id, customer_id, value)
SELECT $1, $2, customer_id, value FROM used
"""


async def usage_of_periods(
    connection: BaseDBAsyncClient,
    meter: MeterDefinition,
    position: int,
    periods: Sequence[CustomerPeriod],
    *,
    are_over: bool = False,
) -> list[PeriodState]:
    """Returns the usage of each period, in order, from the events up to the meter's `position`.

    What grows with time is as of the latest event, or as of the end if the periods `are_over`.
    """
    if not periods:
        return []
    parameters = _parameters(meter, position, periods)
    aggregation = meter.aggregation
    of_events = aggregation.of_events("counted.value", "e.timestamp", "e.id")
    events = _edge_events(meter, periods, parameters)
    lasts, is_ended = aggregation.lasts(), aggregation.grows() and are_over
    statement = _USAGE.format(
        parts=_PARTS.format(is_readable=is_readable_sql("part")),
        of_buckets=select_list(aggregation.of_partials("kept")),
        buckets=_WHOLE_BUCKETS.format(table="usage_bucket"),
        of_events=select_list(of_events),
        events=events,
        carried=carried_sql(aggregation, begun(periods), events, parameters) if lasts else "",
        ended=ended_sql(aggregation, ended(periods), parameters) if is_ended else "",
        values=_values(meter, periods, parameters) if meter.keeps_values else _NO_VALUES,
        merged=select_list(aggregation.of_partials("partial")),
        columns=", ".join(CUSTOMER_COLUMNS),
        quantity=aggregation.quantity_sql("merged"),
    )
    found = await connection.execute_query_dict(statement, parameters.values)
    return [PeriodState(row.pop("consumed"), row) for row in found]


async def begin_periods(
    connection: BaseDBAsyncClient,
    meter: MeterDefinition,
    position: int,
    periods: Sequence[CustomerPeriod],
    revision: int,
) -> None:
    """Makes these the customers' current periods on the meter, with their usage so far.

    Credit stays unchanged.
    """
    usages = await usage_of_periods(connection, meter, position, periods)
    if meter.keeps_values:
        await _keep_values(connection, meter, position, periods)
    columns = ", ".join(CUSTOMER_COLUMNS)
    begun = ", ".join(f"begun.{column}" for column in CUSTOMER_COLUMNS)
    await connection.execute_query_dict(
        noted(f"""
        UPDATE customer_meter AS kept
        SET period_start = begun.starts_at, period_end = begun.ends_at,
            consumed = begun.consumed, ({columns}) = ({begun}),
            revision = $3, updated_at = now()
        FROM unnest(
            $4::uuid[], $5::timestamptz[], $6::timestamptz[], $7::numeric[],
            {arrays(CUSTOMER_COLUMNS.values(), 8)}
        ) AS begun (customer_id, starts_at, ends_at, consumed, {columns})
        WHERE kept.organization_id = $1 AND kept.meter_id = $2
          AND kept.customer_id = begun.customer_id
        RETURNING kept.id, kept.revision
        """),
        [
            meter.organization_id,
            meter.id,
            revision,
            [period.customer_id for period in periods],
            [period.start for period in periods],
            [period.end for period in periods],
            [usage.consumed for usage in usages],
            *([usage.columns[column] for usage in usages] for column in CUSTOMER_COLUMNS),
        ],
    )


async def begin_again(
    connection: BaseDBAsyncClient,
    meter: MeterDefinition,
    position: int,
    customer_ids: Collection[UUID],
    revision: int,
) -> None:
    """Reads the usage of the customers' current periods again: what was before them has changed.

    `position` is how far the meter has counted.
    """
    if not customer_ids:
        return
    rows = await connection.execute_query_dict(
        """
        SELECT customer_id, period_start, period_end FROM customer_meter
        WHERE organization_id = $1 AND meter_id = $2 AND customer_id = ANY($3::uuid[])
        """,
        [meter.organization_id, meter.id, list(customer_ids)],
    )
    periods = [
        CustomerPeriod(row["customer_id"], row["period_start"], row["period_end"]) for row in rows
    ]
    await begin_periods(connection, meter, position, periods, revision)
    await decide(connection, meter.organization_id, revision)


async def _keep_values(
    connection: BaseDBAsyncClient,
    meter: MeterDefinition,
    position: int,
    periods: Sequence[CustomerPeriod],
) -> None:
    """Replaces the distinct values kept for the customers by those of the periods."""
    await connection.execute_query_dict(
        """
        DELETE FROM customer_meter_value
        WHERE organization_id = $1 AND meter_id = $2 AND customer_id = ANY($3::uuid[])
        RETURNING 1
        """,
        [meter.organization_id, meter.id, [period.customer_id for period in periods]],
    )
    parameters = _parameters(meter, position, periods)
    statement = _KEEP_VALUES.format(
        parts=_PARTS.format(is_readable=is_readable_sql("part")),
        values=_values(meter, periods, parameters),
    )
    await connection.execute_query(statement, parameters.values)


def _parameters(
    meter: MeterDefinition, position: int, periods: Sequence[CustomerPeriod]
) -> Parameters:
    whole: list[tuple[int, UUID, datetime | None, datetime | None]] = []
    edges: list[tuple[int, UUID, datetime | None, datetime | None]] = []
    for ordinal, period in enumerate(periods):
        start, end, sides = period.parts()
        whole.append((ordinal, period.customer_id, start, end))
        edges += ((ordinal, period.customer_id, side.start, side.end) for side in sides)
    return Parameters(
        meter.organization_id,
        meter.id,
        position,
        *([row[column] for row in whole] for column in range(4)),
        *([row[column] for row in edges] for column in range(4)),
    )


def _edge_events(
    meter: MeterDefinition, periods: Sequence[CustomerPeriod], parameters: Parameters
) -> str:
    return _EDGE_EVENTS.format(
        events=events_of_part_sql("part"),
        value=counted_value_sql(meter, parameters),
        predicate=counted_sql(meter, parameters),
        counted=counted_through_sql(periods),
    )


def _values(
    meter: MeterDefinition, periods: Sequence[CustomerPeriod], parameters: Parameters
) -> str:
    return _VALUES.format(
        buckets=_WHOLE_BUCKETS.format(table="usage_value"),
        events=_edge_events(meter, periods, parameters),
    )

"""Reads the usage of periods by rate: by the first of some lists of values that an event matches.

As in `metering.usage.groups`, a period is its whole hours plus the raw events at its edges. Hours
with combinations of values that are not kept are read from raw events, too. Callers hold the log's
lock or read one snapshot, so the meter's dimensions do not move meanwhile.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from metering.archive.kept_edges import events_of_part_sql, is_readable_sql
from metering.counting.dimensions import month_sql, texts_sql
from metering.language.definition import MeterDefinition
from metering.language.erased import counted_sql, counted_value_sql
from metering.language.parameters import Parameters, select_list
from metering.language.properties import property_of
from metering.usage.customer_periods import CustomerPeriod, counted_through_sql
from metering.usage.grouping import DimensionValue
from metering.usage.windows import HOUR_MINUTES
from models.dimension import OTHER

Rates = Sequence[Sequence[DimensionValue]]
"""The values of each rate, all of which an event must have."""

# Each lateral aggregates one customer's range, which the index on it always answers.
_UNITS = """
WITH whole AS MATERIALIZED (
    SELECT * FROM unnest($4::int[], $5::uuid[], $6::timestamptz[], $7::timestamptz[])
        AS part (ordinal, customer_id, starts_at, ends_at)
), other AS MATERIALIZED (
    SELECT whole.ordinal, whole.customer_id, kept.bucket AS starts_at,
           kept.bucket + interval '1 hour' AS ends_at
    FROM whole
    CROSS JOIN LATERAL (
        SELECT bucket FROM dimension_bucket
        WHERE organization_id = $1 AND meter_id = $2 AND customer_id = whole.customer_id
          AND bucket >= whole.starts_at AND bucket < whole.ends_at AND combination = {other}
        OFFSET 0
    ) AS kept
), raw_part AS MATERIALIZED (
    SELECT * FROM unnest($8::int[], $9::uuid[], $10::timestamptz[], $11::timestamptz[])
        AS part (ordinal, customer_id, starts_at, ends_at)
    WHERE {is_readable}
    UNION ALL
    SELECT * FROM other AS part
    WHERE {is_readable}
), partial AS (
    SELECT whole.ordinal, hours.*
    FROM whole
    CROSS JOIN LATERAL (
        SELECT {rate_of_known} AS rate, {of_buckets}
        FROM dimension_bucket kept
        JOIN dimension_combination known
            ON known.organization_id = $1 AND known.meter_id = $2
           AND known.customer_id = whole.customer_id
           AND known.month = {month} AND known.combination = kept.combination
        WHERE kept.organization_id = $1 AND kept.meter_id = $2
          AND kept.customer_id = whole.customer_id
          AND kept.bucket >= whole.starts_at AND kept.bucket < whole.ends_at
          AND NOT EXISTS (
              SELECT FROM other
              WHERE other.ordinal = whole.ordinal AND other.starts_at = kept.bucket
          )
        GROUP BY 1
    ) AS hours
    UNION ALL
    SELECT raw_part.ordinal, raw.*
    FROM raw_part
    CROSS JOIN LATERAL (
        SELECT {rate_of_events} AS rate, {of_events}
        FROM {events} AS e
        CROSS JOIN LATERAL (SELECT {value} AS value, {texts} AS texts) AS counted
        WHERE {predicate} AND {counted}
        GROUP BY 1
    ) AS raw
), merged AS (
    SELECT ordinal, rate, {merged} FROM partial GROUP BY ordinal, rate
)
SELECT ordinal, rate, coalesce({quantity}, 0) AS units FROM merged
"""


async def units_by_rate(
    connection: BaseDBAsyncClient,
    meter: MeterDefinition,
    position: int,
    periods: Sequence[CustomerPeriod],
    rates: Rates,
) -> list[tuple[Decimal, ...]]:
    """Returns the units of each period by rate; the last are those that match none.

    Args:
        connection: a transaction.
        meter: a meter that adds up: COUNT or SUM. It has the dimensions that the rates name.
        position: that of the meter's dimensions. They have counted nothing at 0.
        periods: of customers, with a start and an end.
        rates: the values of each rate; an event belongs to the first that it matches.
    """
    found = [[Decimal(0)] * (len(rates) + 1) for _ in periods]
    if position > 0 and periods:
        rows = await connection.execute_query_dict(*_statement(meter, position, periods, rates))
        for row in rows:
            found[row["ordinal"]][row["rate"]] = row["units"]
    return [tuple(units) for units in found]


def _statement(
    meter: MeterDefinition, position: int, periods: Sequence[CustomerPeriod], rates: Rates
) -> tuple[str, list[object]]:
    parameters = _parameters(meter, position, periods)
    aggregation = meter.aggregation
    statement = _UNITS.format(
        other=OTHER,
        is_readable=is_readable_sql("part"),
        events=events_of_part_sql("raw_part"),
        month=month_sql("kept.bucket"),
        rate_of_known=rate_sql(meter, rates, "known.texts", parameters),
        of_buckets=select_list(aggregation.of_partials("kept")),
        rate_of_events=rate_sql(meter, rates, "counted.texts", parameters),
        of_events=select_list(aggregation.of_events("counted.value", "e.timestamp", "e.id")),
        value=counted_value_sql(meter, parameters),
        texts=texts_sql(meter, parameters),
        predicate=counted_sql(meter, parameters),
        counted=counted_through_sql(periods),
        merged=select_list(aggregation.of_partials("partial")),
        quantity=aggregation.quantity_sql("merged"),
    )
    return statement, parameters.values


def rate_sql(meter: MeterDefinition, rates: Rates, texts: str, parameters: Parameters) -> str:
    """SQL: the number of the first rate that texts match, from 0; of no rate, the one after all."""
    places = {property_of(name): place for place, name in enumerate(meter.dimensions, start=1)}
    cases = []
    for number, values in enumerate(rates):
        conditions = [
            f"{texts}[{places[property_of(one.property)]}] "
            + ("IS NULL" if one.value is None else f"= {parameters.add(one.value, 'text')}")
            for one in values
        ]
        cases.append(f"WHEN {' AND '.join(conditions)} THEN {number}")
    return f"CASE {' '.join(cases)} ELSE {len(rates)} END"


def _parameters(
    meter: MeterDefinition, position: int, periods: Sequence[CustomerPeriod]
) -> Parameters:
    whole: list[tuple[int, UUID, datetime | None, datetime | None]] = []
    edges: list[tuple[int, UUID, datetime, datetime]] = []
    for ordinal, period in enumerate(periods):
        if period.start is None or period.end is None:
            raise ValueError("usage by rate is of periods with a start and an end")
        start, end, sides = period.parts(HOUR_MINUTES)
        whole.append((ordinal, period.customer_id, start, end))
        edges += ((ordinal, period.customer_id, side.start, side.end) for side in sides)
    return Parameters(
        meter.organization_id,
        meter.id,
        position,
        *([row[column] for row in whole] for column in range(4)),
        *([row[column] for row in edges] for column in range(4)),
    )

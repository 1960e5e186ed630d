"""Takes voided events out of what a meter keeps: its buckets, in total and by dimension.

What adds up is subtracted, so the cost is that of the voided events. Everything else is made again
of the events that are left in the same quarter hours, or hours by dimension.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from metering.audit.buckets import known_from_sql
from metering.audit.kept_buckets import BY_DIMENSION, IN_TOTAL, KeptBuckets, kept_buckets
from metering.audit.quarter_days import rewrite_quarter_days
from metering.counting.dimensions import texts_sql
from metering.language.calculation import COUNTS
from metering.language.definition import MeterDefinition
from metering.language.erased import counted_sql, counted_value_sql
from metering.language.parameters import Parameters, arrays, select_list
from metering.voiding.found_events import FoundEvent
from models import ALL_CUSTOMERS

# Each voided event is in a bucket of its customer, and in one of all customers.
_COUNTED = """
SELECT $2::uuid AS meter_id, customer_id, bucket, combination, {partials}
FROM (
    SELECT owner.customer_id, counted.value, {bucket} AS bucket, {combination} AS combination
    FROM unnest($3::uuid[], $4::timestamptz[]) AS voided (id, timestamp)
    CROSS JOIN LATERAL (
        SELECT * FROM event
        WHERE organization_id = $1 AND id = voided.id AND timestamp = voided.timestamp
        OFFSET 0
    ) AS e
    CROSS JOIN LATERAL (SELECT {value} AS value) AS counted
    CROSS JOIN LATERAL (VALUES (e.customer_id), ($5::uuid)) AS owner (customer_id)
    WHERE e.timestamp >= {known_from} AND {predicate}
) AS matched
GROUP BY customer_id, bucket, combination
"""

_SUBTRACT = """
UPDATE {buckets} AS kept SET {subtracted}
FROM unnest({arrays}) AS voided (customer_id, bucket, combination, {columns})
WHERE kept.organization_id = $1 AND kept.meter_id = $2
  AND kept.customer_id = voided.customer_id AND kept.bucket = voided.bucket
  {same_combination}
"""

_DELETE = """
DELETE FROM {table} AS kept
USING unnest($3::uuid[], $4::timestamptz[]) AS touched (customer_id, bucket)
WHERE kept.organization_id = $1 AND kept.meter_id = $2
  AND kept.customer_id = touched.customer_id AND kept.bucket = touched.bucket
  {condition}
"""

# The lateral reads each bucket's events by an index, up to the position of the meter.
_LEFT = """
WITH matched AS MATERIALIZED (
    SELECT touched.customer_id, touched.bucket, counted.combination, e.id, e.timestamp,
           counted.value
    FROM unnest($3::uuid[], $4::timestamptz[]) AS touched (customer_id, bucket)
    CROSS JOIN LATERAL (
        SELECT * FROM event
        WHERE organization_id = $1 {of_customer}
          AND timestamp >= touched.bucket AND timestamp < touched.bucket + interval '{length}'
        OFFSET 0
    ) AS e
    CROSS JOIN LATERAL (SELECT {value} AS value, {combination} AS combination) AS counted
    WHERE e.timestamp >= {known_from} AND {predicate}
      AND (
          SELECT batch.position FROM event_batch batch
          WHERE batch.organization_id = $1 AND batch.id = e.batch_id
      ) <= $5
)
"""

_INSERT_BUCKETS = """
{left}
INSERT INTO {buckets} (organization_id, meter_id, {key}, {columns})
SELECT $1::uuid, $2::uuid, {key}, {partials} FROM matched GROUP BY {key}
"""

_INSERT_VALUES = """
{left}
INSERT INTO {values} (organization_id, meter_id, {key}, value)
SELECT DISTINCT $1::uuid, $2::uuid, {key}, value FROM matched WHERE value IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Uncounted:
    """What a meter had counted of voided events: how many, and in which buckets of customers."""

    count: int = 0
    skipped: int = 0
    touched: Sequence[tuple[UUID, datetime]] = ()


async def uncount(
    connection: BaseDBAsyncClient,
    meter: MeterDefinition,
    events: Sequence[FoundEvent],
    head: int,
) -> Uncounted:
    """Takes events that were voided in this transaction out of the meter's buckets.

    Args:
        connection: a transaction that holds the log's lock and has stopped catching up.
        meter: the meter, archived or not.
        events: those that it may have counted.
        head: the last position of the log.
    """
    found = Uncounted()
    for kept in kept_buckets(meter):
        position = position_of(meter, kept, head)
        counted = [one for one in events if one.position is not None and one.position <= position]
        rows = await _counted(connection, meter, kept, counted) if counted else []
        if not rows:
            continue
        if kept is IN_TOTAL:
            found = Uncounted(
                sum(row["count"] for row in rows if row["customer_id"] == ALL_CUSTOMERS),
                sum(row["skipped"] for row in rows if row["customer_id"] == ALL_CUSTOMERS),
                [
                    (row["customer_id"], row["bucket"])
                    for row in rows
                    if row["customer_id"] != ALL_CUSTOMERS
                ],
            )
        if meter.aggregation.adds_up():
            await _subtract(connection, meter, kept, rows)
        else:
            await _make_again(connection, meter, kept, rows, position)
        if kept is BY_DIMENSION:
            await rewrite_quarter_days(connection, meter, {row["bucket"] for row in rows})
    return found


def position_of(meter: MeterDefinition, kept: KeptBuckets, head: int) -> int:
    """How far the meter has counted these buckets."""
    positions = [meter.position, head]
    if kept is BY_DIMENSION:
        positions.insert(0, meter.dimensions_position)
    return next(position for position in positions if position is not None)


async def _counted(
    connection: BaseDBAsyncClient,
    meter: MeterDefinition,
    kept: KeptBuckets,
    events: Sequence[FoundEvent],
) -> list[dict[str, Any]]:
    """Returns what adds up of the events, by bucket."""
    parameters = Parameters(
        meter.organization_id,
        meter.id,
        [event.id for event in events],
        [event.timestamp for event in events],
        ALL_CUSTOMERS,
    )
    of_events = meter.aggregation.of_events()
    statement = _COUNTED.format(
        partials=select_list({name: of_events[name] for name in _sums(meter)}),
        bucket=kept.bucket,
        combination=_combination(meter, kept, "owner.customer_id", parameters),
        value=counted_value_sql(meter, parameters),
        known_from=known_from_sql(meter, kept, parameters),
        predicate=counted_sql(meter, parameters),
    )
    return await connection.execute_query_dict(statement, parameters.values)


async def _subtract(
    connection: BaseDBAsyncClient,
    meter: MeterDefinition,
    kept: KeptBuckets,
    rows: Sequence[dict[str, Any]],
) -> None:
    sums = _sums(meter)
    same = "AND kept.combination = voided.combination" if kept is BY_DIMENSION else ""
    statement = _SUBTRACT.format(
        buckets=kept.buckets,
        subtracted=", ".join(f"{name} = kept.{name} - voided.{name}" for name in sums),
        arrays=arrays(["uuid", "timestamptz", "smallint", *sums.values()], 3),
        columns=", ".join(sums),
        same_combination=same,
    )
    columns = ("customer_id", "bucket", "combination", *sums)
    await connection.execute_query(
        statement,
        [meter.organization_id, meter.id, *([row[name] for row in rows] for name in columns)],
    )
    await _delete(
        connection, meter, kept.buckets, _buckets(rows), "AND kept.count = 0 AND kept.skipped = 0"
    )


async def _make_again(
    connection: BaseDBAsyncClient,
    meter: MeterDefinition,
    kept: KeptBuckets,
    rows: Sequence[dict[str, Any]],
    position: int,
) -> None:
    buckets = _buckets(rows)
    await _delete(connection, meter, kept.buckets, buckets)
    inserts = [_INSERT_BUCKETS]
    if meter.keeps_values:
        await _delete(connection, meter, kept.values, buckets)
        inserts.append(_INSERT_VALUES)
    for is_of_all in (False, True):
        asked = [one for one in buckets if (one[0] == ALL_CUSTOMERS) is is_of_all]
        for insert in inserts:
            await _insert(connection, meter, kept, insert, asked, position, is_of_all=is_of_all)


async def _insert(
    connection: BaseDBAsyncClient,
    meter: MeterDefinition,
    kept: KeptBuckets,
    insert: str,
    buckets: Sequence[tuple[UUID, datetime]],
    position: int,
    *,
    is_of_all: bool,
) -> None:
    """Inserts what follows for these buckets from the events that are left."""
    parameters = Parameters(
        meter.organization_id,
        meter.id,
        [customer_id for customer_id, _bucket in buckets],
        [bucket for _customer_id, bucket in buckets],
        position,
    )
    partials = meter.aggregation.of_events()
    left = _LEFT.format(
        of_customer="" if is_of_all else "AND customer_id = touched.customer_id",
        length="1 hour" if kept is BY_DIMENSION else "15 minutes",
        value=counted_value_sql(meter, parameters),
        combination=_combination(meter, kept, "touched.customer_id", parameters),
        known_from=known_from_sql(meter, kept, parameters),
        predicate=counted_sql(meter, parameters),
    )
    statement = insert.format(
        left=left,
        buckets=kept.buckets,
        values=kept.values,
        key=kept.key,
        columns=", ".join(partials),
        partials=", ".join(
            (meter.aggregation.of_all_customers(partials) if is_of_all else partials).values()
        ),
    )
    await connection.execute_query(statement, parameters.values)


async def _delete(
    connection: BaseDBAsyncClient,
    meter: MeterDefinition,
    table: str,
    buckets: Sequence[tuple[UUID, datetime]],
    condition: str = "",
) -> None:
    await connection.execute_query(
        _DELETE.format(table=table, condition=condition),
        [
            meter.organization_id,
            meter.id,
            [customer_id for customer_id, _bucket in buckets],
            [bucket for _customer_id, bucket in buckets],
        ],
    )


def _sums(meter: MeterDefinition) -> dict[str, str]:
    """The columns of the meter's state that are sums, with their types."""
    columns = (*COUNTS, *meter.aggregation.calculation().columns)
    return {column.name: column.sql_type for column in columns if column.adds_up}


def _buckets(rows: Sequence[dict[str, Any]]) -> list[tuple[UUID, datetime]]:
    return sorted({(row["customer_id"], row["bucket"]) for row in rows})


def _combination(
    meter: MeterDefinition, kept: KeptBuckets, customer: str, parameters: Parameters
) -> str:
    if kept is IN_TOTAL:
        return kept.combination
    return kept.combination.format(customer=customer, texts=texts_sql(meter, parameters))

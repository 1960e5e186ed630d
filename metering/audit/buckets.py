"""Compares buckets, in total and by dimension, with the raw events and rebuilds them.

One statement reads the buckets, the events and the meter's position. They are of one snapshot and
agree without a lock, because a bucket changes in the transaction that moves the position. Buckets
from before the events that are stored, or that the meter has counted, are left alone.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from metering.archive.boundary import EVENTS_FROM
from metering.audit.drift import Drift, differences
from metering.audit.kept_buckets import BY_DIMENSION, IN_TOTAL, KeptBuckets, kept_buckets
from metering.audit.quarter_days import drifted_quarter_days, rewrite_quarter_days
from metering.counting.dimensions import texts_sql
from metering.language.definition import MeterDefinition
from metering.language.erased import counted_sql, counted_value_sql
from metering.language.parameters import Parameters, arrays, select_list
from models import ALL_CUSTOMERS


@dataclass(frozen=True, slots=True)
class Span:
    """The customers to audit, or ALL_CUSTOMERS, and a range [start, end) of whole hours.

    None means no bound.
    """

    customer_ids: tuple[UUID, ...]
    start: datetime | None
    end: datetime | None

    @property
    def is_of_all_customers(self) -> bool:
        """Whether the span covers the rows that sum up all customers."""
        return self.customer_ids == (ALL_CUSTOMERS,)


# `matched` has the events that the meter has counted, `truth` the buckets that follow from them.
_TRUTH = """
WITH matched AS MATERIALIZED (
    SELECT {customer} AS customer_id, e.id, e.timestamp, counted.value,
           {bucket} AS bucket, {combination} AS combination
    FROM event e
    CROSS JOIN LATERAL (SELECT {value} AS value) AS counted
    WHERE e.organization_id = $1 {of_customer}
      AND e.timestamp >= coalesce($4::timestamptz, '-infinity')
      AND e.timestamp < coalesce($5::timestamptz, 'infinity')
      AND e.timestamp >= {known_from}
      AND {predicate}
      AND (
          SELECT batch.position FROM event_batch batch
          WHERE batch.organization_id = $1 AND batch.id = e.batch_id
      ) <= (
          SELECT coalesce({position})
          FROM meter JOIN event_log log ON log.organization_id = $1
          WHERE meter.organization_id = $1 AND meter.id = $2
      )
), truth AS (
    SELECT {key}, {partials}, {of_values} FROM matched GROUP BY {key}
)
"""

_CACHED = """
    SELECT {key}, {columns}, 0::bigint AS unique_count, NULL::bytea AS digest
    FROM {buckets}
    WHERE organization_id = $1 AND meter_id = $2 AND customer_id = ANY($3)
      AND {range}
"""

_CACHED_UNIQUE = """
    SELECT {key}, {columns}, coalesce(unique_count, 0) AS unique_count, digest
    FROM (
        SELECT * FROM {buckets}
        WHERE organization_id = $1 AND meter_id = $2 AND customer_id = ANY($3)
          AND {range}
    ) AS kept
    FULL JOIN (
        SELECT {key}, {of_values}
        FROM {values}
        WHERE organization_id = $1 AND meter_id = $2 AND customer_id = ANY($3)
          AND {range}
        GROUP BY {key}
    ) AS seen USING ({key})
"""

_RANGE = (
    "bucket >= coalesce($4::timestamptz, '-infinity')"
    " AND bucket < coalesce($5::timestamptz, 'infinity') AND bucket >= {known_from}"
)

_COMPARE = """
{truth}, cached AS ({cached})
SELECT {key}, {both}, {cached_quantity} AS cached, {true_quantity} AS recomputed
FROM truth FULL JOIN cached USING ({key})
WHERE ({true_columns}) IS DISTINCT FROM ({cached_columns})
ORDER BY {key}
"""

_DISTINCT_VALUES = """
    count(DISTINCT value) AS unique_count,
    sha256(string_agg(DISTINCT value, ''::bytea ORDER BY value)) AS digest
"""
_NO_VALUES = "0::bigint AS unique_count, NULL::bytea AS digest"

_DRIFTED = """({key}) IN (
    SELECT {key} FROM unnest({columns}) AS drifted (customer_id, bucket, combination)
)"""

_INSERT_BUCKETS = """
{truth}
INSERT INTO {buckets} (organization_id, meter_id, {key}, {columns})
SELECT $1, $2, {key}, {columns} FROM truth WHERE {drifted}
"""

_INSERT_VALUES = """
{truth}
INSERT INTO {values} (organization_id, meter_id, {key}, value)
SELECT DISTINCT $1::uuid, $2::uuid, {key}, value
FROM matched WHERE {drifted} AND value IS NOT NULL
"""


async def drifted_buckets(
    connection: BaseDBAsyncClient, meter: MeterDefinition, span: Span
) -> list[Drift]:
    """Returns the span's buckets that differ from the events, including missing ones."""
    drifts = [
        drift
        for kept in kept_buckets(meter)
        for drift in await _drifted(connection, meter, span, kept)
    ]
    if span.is_of_all_customers:
        drifts += await drifted_quarter_days(connection, meter, span.start, span.end, drifts)
    return drifts


async def _drifted(
    connection: BaseDBAsyncClient, meter: MeterDefinition, span: Span, kept: KeptBuckets
) -> list[Drift]:
    parameters = _parameters(meter, span)
    keeps_values = meter.keeps_values
    of_values = _DISTINCT_VALUES if keeps_values else _NO_VALUES
    states = list(meter.aggregation.of_events())
    columns = [*states, "unique_count", "digest"]
    statement = _COMPARE.format(
        truth=_truth(meter, span, kept, parameters),
        cached=(_CACHED_UNIQUE if keeps_values else _CACHED).format(
            columns=", ".join(states),
            of_values=of_values,
            range=_RANGE.format(known_from=known_from_sql(meter, kept, parameters)),
            key=kept.key,
            buckets=kept.buckets,
            values=kept.values,
        ),
        key=kept.key,
        both=", ".join(
            f"truth.{column} AS true_{column}, cached.{column} AS cached_{column}"
            for column in columns
        ),
        true_columns=", ".join(f"truth.{column}" for column in columns),
        cached_columns=", ".join(f"cached.{column}" for column in columns),
        true_quantity=meter.aggregation.quantity_sql("truth"),
        cached_quantity=meter.aggregation.quantity_sql("cached"),
    )
    rows = await connection.execute_query_dict(statement, parameters.values)
    return [
        Drift(
            meter_id=meter.id,
            customer_id=row["customer_id"],
            bucket=row["bucket"],
            combination=row.get("combination"),
            cached=row["cached"],
            recomputed=row["recomputed"],
            differences=differences(row, columns),
        )
        for row in rows
    ]


async def rewrite_buckets(
    connection: BaseDBAsyncClient,
    meter: MeterDefinition,
    span: Span,
    drifts: Sequence[Drift],
) -> None:
    """Rebuilds these buckets of the span. The caller has stopped catch-up and locked the log."""
    for kept in kept_buckets(meter):
        is_total = kept is IN_TOTAL
        found = [drift for drift in drifts if (drift.combination is None) is is_total]
        if found:
            await _rewrite(connection, meter, span, kept, found)
    await connection.execute_query(
        "UPDATE meter SET usage_version = usage_version + 1 WHERE organization_id = $1 AND id = $2",
        [meter.organization_id, meter.id],
    )


async def rewrite_dimensions(
    connection: BaseDBAsyncClient, meter: MeterDefinition, span: Span, hours: Collection[datetime]
) -> None:
    """Rebuilds usage by dimension in hours of the span, after values of events were erased.

    The caller has stopped catch-up and locked the log.
    """
    drifts = [
        drift
        for drift in await _drifted(connection, meter, span, BY_DIMENSION)
        if drift.bucket in hours
    ]
    if drifts:
        await _rewrite(connection, meter, span, BY_DIMENSION, drifts)


async def _rewrite(
    connection: BaseDBAsyncClient,
    meter: MeterDefinition,
    span: Span,
    kept: KeptBuckets,
    drifts: Sequence[Drift],
) -> None:
    columns = [
        [drift.customer_id for drift in drifts],
        [drift.bucket for drift in drifts],
        [drift.combination for drift in drifts],
    ]

    def drifted(first: int) -> str:
        types = ("uuid", "timestamptz", "smallint")
        return _DRIFTED.format(key=kept.key, columns=arrays(types, first))

    for table in (kept.buckets, kept.values):
        await connection.execute_query_dict(
            f"""
            DELETE FROM {table}
            WHERE organization_id = $1 AND meter_id = $2 AND {drifted(3)}
            RETURNING 1
            """,
            [meter.organization_id, meter.id, *columns],
        )
    for insert in [_INSERT_BUCKETS, _INSERT_VALUES] if meter.keeps_values else [_INSERT_BUCKETS]:
        parameters = _parameters(meter, span)
        parameters.values += columns
        statement = insert.format(
            drifted=drifted(6),
            truth=_truth(meter, span, kept, parameters),
            columns=", ".join(meter.aggregation.of_events()),
            key=kept.key,
            buckets=kept.buckets,
            values=kept.values,
        )
        await connection.execute_query_dict(f"{statement} RETURNING 1", parameters.values)
    if kept is BY_DIMENSION and span.is_of_all_customers:
        hours = [drift.bucket for drift in drifts if drift.bucket]
        await rewrite_quarter_days(connection, meter, hours)


def _parameters(meter: MeterDefinition, span: Span) -> Parameters:
    return Parameters(
        meter.organization_id, meter.id, list(span.customer_ids), span.start, span.end
    )


def _truth(meter: MeterDefinition, span: Span, kept: KeptBuckets, parameters: Parameters) -> str:
    partials = meter.aggregation.of_events()
    customer = "($3::uuid[])[1]" if span.is_of_all_customers else "e.customer_id"
    combination = kept.combination
    if kept is BY_DIMENSION:
        combination = combination.format(customer=customer, texts=texts_sql(meter, parameters))
    return _TRUTH.format(
        key=kept.key,
        bucket=kept.bucket,
        combination=combination,
        position=kept.position,
        value=counted_value_sql(meter, parameters),
        customer=customer,
        of_customer="" if span.is_of_all_customers else "AND e.customer_id = ANY($3)",
        known_from=known_from_sql(meter, kept, parameters),
        predicate=counted_sql(meter, parameters),
        partials=select_list(
            meter.aggregation.of_all_customers(partials) if span.is_of_all_customers else partials
        ),
        of_values=_DISTINCT_VALUES if meter.keeps_values else _NO_VALUES,
    )


def known_from_sql(meter: MeterDefinition, kept: KeptBuckets, parameters: Parameters) -> str:
    """SQL: the instant from which the meter's buckets follow from the stored events."""
    start = meter.complete_from if kept is IN_TOTAL else meter.dimensions_complete_from
    return f"greatest({EVENTS_FROM}, {parameters.add(start, 'timestamptz')})"

"""Compares buckets with the raw events and rebuilds them.

One statement reads the buckets, the events and the meter's position. They are of one snapshot and
agree without a lock, because a bucket changes in the transaction that moves the position.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from metering.audit.drift import Drift, differences
from metering.language.definition import MeterDefinition
from metering.language.parameters import Parameters, select_list
from metering.language.predicates import predicate_sql
from models import ALL_CUSTOMERS


@dataclass(frozen=True, slots=True)
class Span:
    """The customers to audit, or ALL_CUSTOMERS, and a range [start, end). None means no bound."""

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
           date_bin('15 minutes', e.timestamp, TIMESTAMPTZ '1970-01-01 00:00Z') AS bucket
    FROM event e
    CROSS JOIN LATERAL (SELECT {value} AS value) AS counted
    WHERE e.organization_id = $1 {of_customer}
      AND e.timestamp >= coalesce($4::timestamptz, '-infinity')
      AND e.timestamp < coalesce($5::timestamptz, 'infinity')
      AND {predicate}
      AND (
          SELECT batch.position FROM event_batch batch
          WHERE batch.organization_id = $1 AND batch.id = e.batch_id
      ) <= (
          SELECT coalesce(meter.position, log.head)
          FROM meter JOIN event_log log ON log.organization_id = meter.organization_id
          WHERE meter.organization_id = $1 AND meter.id = $2
      )
), truth AS (
    SELECT customer_id, bucket, {partials}, {of_values} FROM matched GROUP BY customer_id, bucket
)
"""

_CACHED = """
    SELECT customer_id, bucket, {columns}, 0::bigint AS unique_count, NULL::bytea AS digest
    FROM usage_bucket
    WHERE organization_id = $1 AND meter_id = $2 AND customer_id = ANY($3)
      AND {range}
"""

_CACHED_UNIQUE = """
    SELECT customer_id, bucket, {columns}, coalesce(unique_count, 0) AS unique_count, digest
    FROM (
        SELECT * FROM usage_bucket
        WHERE organization_id = $1 AND meter_id = $2 AND customer_id = ANY($3)
          AND {range}
    ) AS kept
    FULL JOIN (
        SELECT customer_id, bucket, {of_values}
        FROM usage_value
        WHERE organization_id = $1 AND meter_id = $2 AND customer_id = ANY($3)
          AND {range}
        GROUP BY customer_id, bucket
    ) AS seen USING (customer_id, bucket)
"""

_RANGE = (
    "bucket >= coalesce($4::timestamptz, '-infinity')"
    " AND bucket < coalesce($5::timestamptz, 'infinity')"
)

_COMPARE = """
{truth}, cached AS ({cached})
SELECT customer_id, bucket, {both}, {cached_quantity} AS cached, {true_quantity} AS recomputed
FROM truth FULL JOIN cached USING (customer_id, bucket)
WHERE ({true_columns}) IS DISTINCT FROM ({cached_columns})
ORDER BY customer_id, bucket
"""

_DISTINCT_VALUES = """
    count(DISTINCT value) AS unique_count,
    sha256(string_agg(DISTINCT value, ''::bytea ORDER BY value)) AS digest
"""
_NO_VALUES = "0::bigint AS unique_count, NULL::bytea AS digest"

_DRIFTED = (
    "(customer_id, bucket) IN (SELECT * FROM unnest({customers}::uuid[], {buckets}::timestamptz[]))"
)

_INSERT_BUCKETS = """
{truth}
INSERT INTO usage_bucket (organization_id, meter_id, customer_id, bucket, {columns})
SELECT $1, $2, customer_id, bucket, {columns} FROM truth WHERE {drifted}
"""

_INSERT_VALUES = """
{truth}
INSERT INTO usage_value (organization_id, meter_id, customer_id, bucket, value)
SELECT DISTINCT $1::uuid, $2::uuid, customer_id, bucket, value
FROM matched WHERE {drifted} AND value IS NOT NULL
"""


async def drifted_buckets(
    connection: BaseDBAsyncClient, meter: MeterDefinition, span: Span
) -> list[Drift]:
    """Returns the span's buckets that differ from the events, including missing ones."""
    parameters = _parameters(meter, span)
    keeps_values = meter.keeps_values
    of_values = _DISTINCT_VALUES if keeps_values else _NO_VALUES
    kept = list(meter.aggregation.of_events())
    columns = [*kept, "unique_count", "digest"]
    statement = _COMPARE.format(
        truth=_truth(meter, span, parameters),
        cached=(_CACHED_UNIQUE if keeps_values else _CACHED).format(
            columns=", ".join(kept), of_values=of_values, range=_RANGE
        ),
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
    customers = [drift.customer_id for drift in drifts]
    buckets = [drift.bucket for drift in drifts]
    for table in ("usage_bucket", "usage_value"):
        await connection.execute_query_dict(
            f"""
            DELETE FROM {table}
            WHERE organization_id = $1 AND meter_id = $2
              AND {_DRIFTED.format(customers="$3", buckets="$4")}
            RETURNING 1
            """,
            [meter.organization_id, meter.id, customers, buckets],
        )
    inserts = [_INSERT_BUCKETS]
    if meter.keeps_values:
        inserts.append(_INSERT_VALUES)
    for insert in inserts:
        parameters = _parameters(meter, span)
        parameters.values += [customers, buckets]
        statement = insert.format(
            drifted=_DRIFTED.format(customers="$6", buckets="$7"),
            truth=_truth(meter, span, parameters),
            columns=", ".join(meter.aggregation.of_events()),
        )
        await connection.execute_query_dict(f"{statement} RETURNING 1", parameters.values)
    await connection.execute_query(
        "UPDATE meter SET usage_version = usage_version + 1 WHERE id = $1", [meter.id]
    )


def _parameters(meter: MeterDefinition, span: Span) -> Parameters:
    return Parameters(
        meter.organization_id, meter.id, list(span.customer_ids), span.start, span.end
    )


def _truth(meter: MeterDefinition, span: Span, parameters: Parameters) -> str:
    return _TRUTH.format(
        value=meter.aggregation.value_sql(parameters),
        customer="($3::uuid[])[1]" if span.is_of_all_customers else "e.customer_id",
        of_customer="" if span.is_of_all_customers else "AND e.customer_id = ANY($3)",
        predicate=predicate_sql(meter.filter, parameters),
        partials=select_list(meter.aggregation.of_events()),
        of_values=_DISTINCT_VALUES if meter.keeps_values else _NO_VALUES,
    )

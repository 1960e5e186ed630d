"""Edges of periods in archived time, of which events are kept, in SQL.

A period that goes on after the archived months may still be counted again: it is open, or late
events may come. Its whole buckets are there. Of the hour within which it begins, the customer's
events are kept in `kept_event`: those before its start are for meters that carry over. So are hours
of which usage by rate reads the events. `kept_edge` says which pieces of time these are.
"""

from datetime import datetime
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from metering.archive.boundary import EVENTS_FROM
from metering.counting.dimensions import hour_sql
from models.dimension import OTHER

EVENT_COLUMNS = "organization_id, id, batch_id, customer_id, name, external_id, timestamp, metadata"

_PERIODS = """
    SELECT customer_id, meter_id, starts_at, product_price_id IS NOT NULL AS has_price
    FROM metered_period
    WHERE organization_id = $1 AND starts_at < $2 AND (ends_at IS NULL OR ends_at > $2)
    UNION ALL
    SELECT customer_id, meter_id, period_start, false FROM customer_meter
    WHERE organization_id = $1 AND period_start < $2
      AND (period_end IS NULL OR period_end > $2)
    UNION ALL
    -- Grants of credit cut a period where they begin and end.
    SELECT period.customer_id, period.meter_id, cut.at, false
    FROM metered_period period
    JOIN credit_holding held
        ON held.organization_id = $1 AND held.metered_period_id = period.id
    JOIN credit_grant granted
        ON granted.organization_id = $1 AND granted.id = held.credit_grant_id
    CROSS JOIN LATERAL (
        VALUES (granted.effective_at), (granted.expires_at), (granted.voided_at)
    ) AS cut (at)
    WHERE period.organization_id = $1 AND period.starts_at < $2
      AND (period.ends_at IS NULL OR period.ends_at > $2)
      AND cut.at > period.starts_at AND cut.at < $2
"""

# Periods that begin on the hour need no events, unless an hour has more combinations of values than
# are numbered.
_KEEP_EDGES = f"""
WITH period AS MATERIALIZED ({_PERIODS})
INSERT INTO kept_edge (organization_id, customer_id, starts_at, ends_at)
SELECT $1, customer_id, starts_at, max(ends_at) FROM (
    SELECT customer_id, {hour_sql("starts_at")} AS starts_at,
           {hour_sql("starts_at")} + interval '1 hour' AS ends_at
    FROM period
    WHERE starts_at >= coalesce($3::timestamptz, '-infinity')
      AND starts_at <> {hour_sql("starts_at")}
    UNION ALL
    SELECT period.customer_id, other.bucket, other.bucket + interval '1 hour'
    FROM period CROSS JOIN LATERAL (
        SELECT bucket FROM dimension_bucket
        WHERE organization_id = $1 AND meter_id = period.meter_id
          AND customer_id = period.customer_id AND combination = {OTHER}
          AND bucket >= greatest(period.starts_at, $3::timestamptz) AND bucket < $2
        OFFSET 0
    ) AS other
    WHERE period.has_price
) AS edge
GROUP BY customer_id, starts_at
ON CONFLICT (organization_id, customer_id, starts_at) DO NOTHING
"""

_KEEP_EVENTS = f"""
WITH edge AS MATERIALIZED (
    SELECT customer_id, starts_at, ends_at FROM kept_edge
    WHERE organization_id = $1 AND starts_at < $2
      AND ends_at > coalesce($3::timestamptz, '-infinity')
), found AS MATERIALIZED (
    SELECT DISTINCT event.id, event.timestamp
    FROM edge JOIN event ON event.organization_id = $1 AND event.customer_id = edge.customer_id
        AND event.timestamp >= edge.starts_at AND event.timestamp < edge.ends_at
    WHERE event.timestamp < $2
), moved AS (
    DELETE FROM event USING found
    WHERE event.organization_id = $1 AND event.id = found.id AND event.timestamp = found.timestamp
      AND event.timestamp < $2
    RETURNING event.*
)
INSERT INTO kept_event ({EVENT_COLUMNS}) SELECT {EVENT_COLUMNS} FROM moved
"""

_RETURN_EVENTS = f"""
WITH moved AS (
    DELETE FROM kept_event
    WHERE organization_id = $1 AND timestamp >= coalesce($2::timestamptz, '-infinity')
    RETURNING *
)
INSERT INTO event ({EVENT_COLUMNS}) SELECT {EVENT_COLUMNS} FROM moved
"""


def is_readable_sql(part: str) -> str:
    """SQL: true if the events of a row of (customer_id, starts_at, ends_at) are there.

    It raises an error if they are archived. The organization is $1.
    """
    return f"""CASE
        WHEN {part}.starts_at >= {EVENTS_FROM} OR {part}.starts_at >= {part}.ends_at THEN true
        WHEN EXISTS (
            SELECT FROM kept_edge kept
            WHERE kept.organization_id = $1 AND kept.customer_id = {part}.customer_id
              AND kept.starts_at <= {part}.starts_at AND kept.ends_at >= {part}.ends_at
        ) THEN true
        ELSE is_stored({part}.starts_at, {EVENTS_FROM})
    END"""


def events_of_part_sql(part: str) -> str:
    """SQL: the events of a row of (customer_id, starts_at, ends_at), stored or kept.

    The organization is $1. It goes into a LATERAL.
    """
    condition = f"""organization_id = $1 AND customer_id = {part}.customer_id
          AND timestamp >= {part}.starts_at AND timestamp < {part}.ends_at"""
    return f"""(
        SELECT {EVENT_COLUMNS} FROM event WHERE {condition}
        UNION ALL
        SELECT {EVENT_COLUMNS} FROM kept_event WHERE {condition}
    )"""


async def keep_edges(
    connection: BaseDBAsyncClient, organization_id: UUID, start: datetime | None, end: datetime
) -> None:
    """Moves the events that periods need out of the months between two instants.

    Only those of the customers of periods that begin before `end` and go on after it. The caller
    holds the log's lock.
    """
    values = [organization_id, end, start]
    await connection.execute_query(_KEEP_EDGES, values)
    await connection.execute_query(_KEEP_EVENTS, values)


async def return_edges(
    connection: BaseDBAsyncClient, organization_id: UUID, start: datetime | None
) -> None:
    """Moves kept events from `start` on back to where they were, into months that are stored."""
    await connection.execute_query(_RETURN_EVENTS, [organization_id, start])
    await connection.execute_query(
        """
        DELETE FROM kept_edge
        WHERE organization_id = $1 AND starts_at >= coalesce($2::timestamptz, '-infinity')
        """,
        [organization_id, start],
    )

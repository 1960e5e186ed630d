"""Decides which alerts trigger, in the transaction that changes the numbers they watch.

After each transaction, every enabled alert that a customer's current numbers reach has triggered
in the customer's current period. Code that changes `customer_meter` must keep this true. Counting
looks only at alerts between the earlier and the new number (`merged_and_decided_sql`); all other
code looks at all alerts of the rows that it changed (`decide`). A unique index keeps an alert from
triggering twice. All this happens under the log's lock.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from metering.alerts.kinds import UsageAlertKind, level_sql, threshold_level_sql, value_sql
from metering.live.outbox import OutboxType, publish
from models import ALL_CUSTOMERS, UsageAlert

IS_WATCHED = """
    EXISTS (
        SELECT FROM usage_alert watching
        WHERE watching.organization_id = meter.organization_id AND watching.meter_id = meter.id
          AND watching.is_enabled
    )
"""
"""Whether a row of `meter` has alerts that are enabled."""

# `changed` has rows of customer_meter, and `before` the numbers that some of them had. $1 is the
# organization, $2 the revision. The thresholds between two levels are found by a binary search in
# an array, because a customer's numbers rarely reach any of them.
_DECISION = f"""
watched AS MATERIALIZED (
    SELECT meter_id, customer_id, kind, array_agg(level ORDER BY level) AS levels
    FROM (
        SELECT alert.meter_id, alert.customer_id, alert.kind,
               {threshold_level_sql("alert")} AS level
        FROM usage_alert alert
        WHERE alert.organization_id = $1 AND alert.is_enabled AND {{only}}
          AND alert.meter_id = ANY(ARRAY(SELECT DISTINCT meter_id FROM changed))
          AND alert.customer_id = ANY(
              ARRAY(SELECT DISTINCT customer_id FROM changed) || '{ALL_CUSTOMERS}'::uuid
          )
    ) AS alert
    GROUP BY meter_id, customer_id, kind
), reached AS MATERIALIZED (
    SELECT changed.*, watched.customer_id AS whose, watched.kind, now_at.level, was_at.level AS was
    FROM changed
    LEFT JOIN before USING (meter_id, customer_id)
    CROSS JOIN LATERAL (
        VALUES (changed.customer_id), ('{ALL_CUSTOMERS}'::uuid)
    ) AS whose (customer_id)
    JOIN watched
        ON watched.meter_id = changed.meter_id AND watched.customer_id = whose.customer_id
    CROSS JOIN LATERAL (
        SELECT {level_sql("watched.kind", "changed.consumed", "changed.credited")} AS level
    ) AS now_at
    CROSS JOIN LATERAL (
        SELECT {level_sql("watched.kind", "before.consumed", "before.credited")} AS level
    ) AS was_at
    WHERE width_bucket(now_at.level, watched.levels)
        > coalesce(width_bucket(was_at.level, watched.levels), 0)
), triggered AS (
    INSERT INTO alert_trigger (
        organization_id, id, alert_id, customer_id, period_start, value, revision, triggered_at
    )
    SELECT $1, gen_random_uuid(), alert.id, reached.customer_id, reached.period_start,
           {value_sql("reached.kind", "reached.level")}, $2, clock_timestamp()
    FROM reached
    JOIN usage_alert alert
        ON alert.organization_id = $1 AND alert.meter_id = reached.meter_id
       AND alert.customer_id = reached.whose AND alert.kind = reached.kind
       AND alert.is_enabled AND {{only}}
       AND {threshold_level_sql("alert")} <= reached.level
       AND (reached.was IS NULL OR {threshold_level_sql("alert")} > reached.was)
    -- A balance that has never been above zero does not fall.
    WHERE alert.kind <> '{UsageAlertKind.CREDIT_BALANCE}' OR alert.threshold < 0
       OR reached.credited <> 0
       OR EXISTS (
           SELECT FROM credit_entry entry
           WHERE entry.organization_id = $1 AND entry.meter_id = reached.meter_id
             AND entry.customer_id = reached.customer_id
       )
    ON CONFLICT (organization_id, alert_id, customer_id, period_start) DO NOTHING
    RETURNING id
)
"""


def merged_and_decided_sql(merge: str, increments: str) -> str:
    """A statement that runs `merge`, and decides about what it changed.

    `merge` changes rows of `customer_meter`, and returns its columns meter_id, customer_id,
    period_start, consumed and credited. `increments` is a table of all of its meters and customers.
    The statement returns the first three, and a row for each trigger with its `trigger_id`.
    """
    return f"""
        WITH before AS MATERIALIZED (
            SELECT kept.meter_id, kept.customer_id, kept.consumed, kept.credited
            FROM {increments} AS increment (meter_id, customer_id)
            JOIN customer_meter kept
                ON kept.organization_id = $1 AND kept.meter_id = increment.meter_id
               AND kept.customer_id = increment.customer_id
        ), changed AS ({merge}),
        {_DECISION.format(only="true")}
        SELECT meter_id, customer_id, period_start, NULL::uuid AS trigger_id FROM changed
        UNION ALL SELECT NULL, NULL, NULL, id FROM triggered
    """


_DECIDE = """
WITH before (meter_id, customer_id, consumed, credited) AS (
    SELECT NULL::uuid, NULL::uuid, NULL::numeric, NULL::numeric WHERE false
), changed AS MATERIALIZED (
    SELECT kept.meter_id, kept.customer_id, kept.period_start, kept.consumed, kept.credited
    FROM customer_meter kept
    WHERE kept.organization_id = $1 AND {changed}
), {decision}
SELECT id FROM triggered
"""


async def decide(connection: BaseDBAsyncClient, organization_id: UUID, revision: int) -> None:
    """Triggers the alerts that the customer meters with this revision reach.

    A transaction that changed credit or periods calls it at its end, with its revision.
    """
    await _decide(connection, organization_id, revision, "kept.revision = $2", "true")


async def decide_alert(connection: BaseDBAsyncClient, revision: int, alert: UsageAlert) -> None:
    """Triggers an alert for all customers whose numbers reach it now."""
    changed, values = "kept.meter_id = $4", [alert.id, alert.meter_id]
    if alert.customer_id != ALL_CUSTOMERS:
        changed, values = f"{changed} AND kept.customer_id = $5", [*values, alert.customer_id]
    await _decide(connection, alert.organization_id, revision, changed, "alert.id = $3", *values)


async def _decide(
    connection: BaseDBAsyncClient,
    organization_id: UUID,
    revision: int,
    changed: str,
    only: str,
    *values: Any,
) -> None:
    statement = _DECIDE.format(changed=changed, decision=_DECISION.format(only=only))
    rows = await connection.execute_query_dict(statement, [organization_id, revision, *values])
    await tell(connection, organization_id, [row["id"] for row in rows])


async def tell(
    connection: BaseDBAsyncClient, organization_id: UUID, trigger_ids: Iterable[UUID]
) -> None:
    """Records in the outbox that alerts have triggered."""
    await publish(connection, organization_id, OutboxType.ALERT_TRIGGERED, *trigger_ids)


async def watched_meters(
    connection: BaseDBAsyncClient, organization_id: UUID, meter_ids: Iterable[UUID]
) -> frozenset[UUID]:
    """Returns those of the meters that have alerts which are enabled."""
    rows = await connection.execute_query_dict(
        f"""
        SELECT id FROM meter
        WHERE organization_id = $1 AND id = ANY($2::uuid[]) AND {IS_WATCHED}
        """,
        [organization_id, list(meter_ids)],
    )
    return frozenset(row["id"] for row in rows)

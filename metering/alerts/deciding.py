"""Decides which alerts trigger, in the transaction that changes the numbers they watch.

After each transaction, every enabled alert that a customer's current numbers reach has triggered
in the customer's current period. Code that changes `customer_meter` must keep this true. Counting
looks only at alerts between the earlier and the new number (`decision_sql`); all other
code looks at all alerts of the rows that it changed (`decide`). A unique index keeps an alert from
triggering twice. All this happens under the log's lock.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from metering.alerts.kinds import UsageAlertKind, level_sql, threshold_level_sql, value_sql
from metering.counting.noted_changes import CHANGED_IN_REVISION
from metering.live.after_commit import emit
from metering.live.measured import ALERTS_TRIGGERED, Measured
from metering.live.outbox import OutboxType, publish
from models import ALL_CUSTOMERS, UsageAlert

IS_WATCHED = """
    EXISTS (
        SELECT FROM usage_alert watching
        WHERE watching.organization_id = $1 AND watching.meter_id = meter.id
          AND watching.is_enabled
    )
"""
"""Whether a row of `meter`, of the organization $1, has alerts that are enabled."""

_LEVELS = f"""
    CROSS JOIN LATERAL (
        SELECT {level_sql("{kind}", "compared.consumed", "compared.credited")} AS level
    ) AS now_at
    CROSS JOIN LATERAL (
        SELECT {level_sql("{kind}", "compared.consumed_before", "compared.credited_before")}
            AS level
    ) AS was_at
"""

# A customer's numbers rarely reach an alert, so the alerts of all customers are arrays of levels,
# and a binary search tells whether there is one between the earlier and the present level.
_DECISION = f"""
watched AS MATERIALIZED (
    SELECT meter_id, kind, array_agg(id ORDER BY level, id) AS ids,
           array_agg(level ORDER BY level, id) AS levels
    FROM (
        SELECT alert.*, {threshold_level_sql("alert")} AS level FROM usage_alert alert
        WHERE alert.organization_id = $1 AND alert.is_enabled AND {{only}}
          AND alert.meter_id = ANY(ARRAY(SELECT DISTINCT meter_id FROM compared))
          AND alert.customer_id = '{ALL_CUSTOMERS}'
    ) AS alert
    GROUP BY meter_id, kind
), reached AS (
    SELECT compared.*, watched.kind, now_at.level, passed.alert_id, passed.threshold_level
    FROM compared
    JOIN watched ON watched.meter_id = compared.meter_id
    {_LEVELS.format(kind="watched.kind")}
    CROSS JOIN LATERAL (
        SELECT width_bucket(now_at.level, watched.levels) AS present,
               coalesce(width_bucket(was_at.level, watched.levels), 0) AS earlier
    ) AS place
    CROSS JOIN LATERAL unnest(
        watched.ids[place.earlier + 1:place.present],
        watched.levels[place.earlier + 1:place.present]
    ) AS passed (alert_id, threshold_level)
    WHERE place.present > place.earlier
    UNION ALL
    SELECT compared.*, alert.kind, now_at.level, alert.id, {threshold_level_sql("alert")}
    FROM compared
    -- OFFSET 0 keeps this from becoming a join with the alerts of all customers.
    CROSS JOIN LATERAL (
        SELECT * FROM usage_alert alert
        WHERE alert.organization_id = $1 AND alert.meter_id = compared.meter_id
          AND alert.customer_id = compared.customer_id AND alert.is_enabled AND {{only}}
        OFFSET 0
    ) AS alert
    {_LEVELS.format(kind="alert.kind")}
    WHERE (
        SELECT EXISTS (
            SELECT FROM usage_alert alert
            WHERE alert.organization_id = $1 AND alert.is_enabled
              AND alert.meter_id = ANY(ARRAY(SELECT DISTINCT meter_id FROM compared))
              AND alert.customer_id <> '{ALL_CUSTOMERS}'
        )
    )
      AND {threshold_level_sql("alert")} <= now_at.level
      AND (was_at.level IS NULL OR {threshold_level_sql("alert")} > was_at.level)
), triggered AS (
    INSERT INTO alert_trigger (
        organization_id, id, alert_id, customer_id, period_start, value, revision, triggered_at
    )
    SELECT $1, gen_random_uuid(), alert_id, customer_id, period_start,
           {value_sql("reached.kind", "reached.level")}, {{revision}}, clock_timestamp()
    FROM reached
    -- A balance that has never been above zero does not fall.
    WHERE kind <> '{UsageAlertKind.CREDIT_BALANCE}' OR threshold_level > 0 OR credited <> 0
       OR EXISTS (
           SELECT FROM credit_entry entry
           WHERE entry.organization_id = $1 AND entry.meter_id = reached.meter_id
             AND entry.customer_id = reached.customer_id
       )
    ON CONFLICT (organization_id, alert_id, customer_id, period_start) DO NOTHING
    RETURNING id
)
"""


def decision_sql(revision: str, only: str = "true") -> str:
    """CTEs that decide about the rows of `compared`; `triggered` has the ids of the triggers.

    `compared` has rows of `customer_meter`: meter_id, customer_id, period_start, consumed and
    credited, and the last two as they were before, or null: consumed_before and credited_before.
    $1 is the organization. `only` is a condition on rows `alert`.
    """
    return _DECISION.format(revision=revision, only=only)


TRIGGERED = "(SELECT array_agg(id) FROM triggered)"
"""An array of the ids of the triggers of `decision_sql`, or NULL."""

_DECIDE = """
WITH compared AS MATERIALIZED (
    SELECT kept.meter_id, kept.customer_id, kept.period_start, kept.consumed, kept.credited,
           NULL::numeric AS consumed_before, NULL::numeric AS credited_before
    FROM customer_meter kept
    WHERE kept.organization_id = $1 AND {changed}
), {decision}
SELECT id FROM triggered
"""


async def decide(connection: BaseDBAsyncClient, organization_id: UUID, revision: int) -> None:
    """Triggers the alerts that the customer meters with this revision reach.

    A transaction that changed credit or periods calls it at its end, with its revision.
    """
    await _decide(connection, organization_id, revision, f"kept.id = {CHANGED_IN_REVISION}", "true")


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
    statement = _DECIDE.format(changed=changed, decision=decision_sql("$2", only))
    rows = await connection.execute_query_dict(statement, [organization_id, revision, *values])
    await tell(connection, organization_id, [row["id"] for row in rows])


async def tell(
    connection: BaseDBAsyncClient, organization_id: UUID, trigger_ids: Iterable[UUID]
) -> None:
    """Records in the outbox and in the metrics that alerts have triggered."""
    triggered = list(trigger_ids)
    await publish(connection, organization_id, OutboxType.ALERT_TRIGGERED, *triggered)
    if triggered:
        emit(connection, Measured(ALERTS_TRIGGERED, len(triggered)))


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

"""Decides alerts of estimated amounts, which no single row holds.

A worker looks every few seconds at the customers whose usage, credit or subscriptions have changed
since an alert was last decided. Estimates are made without a lock. What they reach is stored under
the log's lock, once, as a unique index ensures. Any number of workers may do this at once, and if
one is killed, the alert's `decided` says where to go on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from tortoise.connection import get_connection
from tortoise.transactions import in_transaction

from billing.invoicing.estimates import Estimate, estimates
from metering.alerts.deciding import tell
from metering.alerts.kinds import UsageAlertKind
from metering.counting.log import lock_log, next_revision
from models import ALL_CUSTOMERS
from waiting.patience import Patience

CHUNK = 200
"""So many customers are estimated together."""

_KIND = f"alert.kind = '{UsageAlertKind.ESTIMATED_AMOUNT}' AND alert.is_enabled"

_UNDECIDED = f"""
SELECT alert.organization_id, log.revision, array_agg(alert.id) AS ids,
       array_agg(alert.decided) AS decided
FROM usage_alert alert
JOIN event_log log ON log.organization_id = alert.organization_id
WHERE {_KIND} AND alert.decided < log.revision
GROUP BY alert.organization_id, log.revision
"""

_CHANGED = f"""
WITH undecided AS (
    SELECT alert.customer_id, min(alert.decided) AS decided
    FROM usage_alert alert
    WHERE alert.organization_id = $1 AND {_KIND}
    GROUP BY alert.customer_id
), everybody AS (
    SELECT decided FROM undecided WHERE customer_id = '{ALL_CUSTOMERS}'
)
SELECT kept.customer_id
FROM (
    SELECT DISTINCT unnest(noted.ids) AS id FROM everybody
    JOIN usage_change noted
        ON noted.organization_id = $1 AND noted.revision > everybody.decided
) AS changed
JOIN customer_meter kept ON kept.organization_id = $1 AND kept.id = changed.id
UNION
SELECT subscription.customer_id FROM everybody
JOIN customer_subscription subscription
    ON subscription.organization_id = $1 AND subscription.revision > everybody.decided
UNION
SELECT kept.customer_id FROM undecided
JOIN customer_meter kept
    ON kept.organization_id = $1 AND kept.customer_id = undecided.customer_id
   AND kept.revision > undecided.decided
UNION
SELECT subscription.customer_id FROM undecided
JOIN customer_subscription subscription
    ON subscription.organization_id = $1 AND subscription.customer_id = undecided.customer_id
   AND subscription.revision > undecided.decided
ORDER BY customer_id
"""

# A subscription that has changed since $2 is left to the next run: its period may be another one.
_REACHED = f"""
SELECT alert.id AS alert_id, total.*
FROM (
    SELECT subscription.customer_id, estimate.currency, sum(estimate.amount) AS amount,
           max(subscription.usage_period_start) AS period_start
    FROM unnest($3::uuid[], $4::text[], $5::numeric[])
        AS estimate (subscription_id, currency, amount)
    JOIN customer_subscription subscription
        ON subscription.organization_id = $1 AND subscription.id = estimate.subscription_id
    GROUP BY subscription.customer_id, estimate.currency
    HAVING max(subscription.revision) <= $2
) AS total
JOIN usage_alert alert
    ON alert.organization_id = $1 AND {_KIND}
   AND alert.customer_id IN (total.customer_id, '{ALL_CUSTOMERS}')
   AND (alert.currency IS NULL OR alert.currency = total.currency)
   AND alert.threshold <= total.amount
WHERE NOT EXISTS (
    SELECT FROM alert_trigger present
    WHERE present.organization_id = $1 AND present.alert_id = alert.id
      AND present.customer_id = total.customer_id AND present.period_start = total.period_start
)
"""

_TRIGGER = f"""
INSERT INTO alert_trigger (
    organization_id, id, alert_id, customer_id, period_start, value, currency, revision,
    triggered_at
)
SELECT $1, gen_random_uuid(), alert_id, customer_id, period_start, amount, currency, $6,
       clock_timestamp()
FROM ({_REACHED}) AS reached
ON CONFLICT (organization_id, alert_id, customer_id, period_start) DO NOTHING
RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Undecided:
    """Alerts of an organization, with their `decided`, and the log's revision to decide up to."""

    organization_id: UUID
    revision: int
    ids: Sequence[UUID]
    decided: Sequence[int]


async def decide_estimates(patience: Patience) -> None:
    """Decides all alerts of estimated amounts whose customers have changed.

    Raises:
        ExceptionGroup: an exception for each organization that failed, after the others.
    """
    failures: list[Exception] = []
    for undecided in await patience.wait_for("alerts", _undecided):
        try:
            await _decide(undecided, patience)
        except Exception as error:  # noqa: BLE001  # one tenant's failure must not stop the others
            error.add_note(f"in the alerts of organization {undecided.organization_id}")
            failures.append(error)
    if failures:
        raise ExceptionGroup("deciding alerts failed", failures)


async def _undecided() -> list[Undecided]:
    """Returns the alerts of every organization that are not decided up to its log."""
    rows = await get_connection("default").execute_query_dict(_UNDECIDED)
    return [Undecided(**row) for row in rows]


async def _decide(undecided: Undecided, patience: Patience) -> None:
    organization_id = undecided.organization_id
    customers = await patience.wait_for(
        (organization_id, "customers"), lambda: _rows(_CHANGED, organization_id)
    )
    for start in range(0, len(customers), CHUNK):
        chunk = [row["customer_id"] for row in customers[start : start + CHUNK]]
        await patience.wait_for(
            (organization_id, "estimates"), partial(decide_chunk, undecided, chunk)
        )
    # An alert that was changed meanwhile has another `decided`, and stays undecided.
    await patience.wait_for(
        (organization_id, "decided"),
        lambda: _rows(
            """
            UPDATE usage_alert SET decided = $2
            FROM unnest($3::uuid[], $4::bigint[]) AS done (id, decided)
            WHERE usage_alert.organization_id = $1 AND usage_alert.id = done.id
              AND usage_alert.decided = done.decided
            RETURNING usage_alert.id
            """,
            organization_id,
            undecided.revision,
            undecided.ids,
            undecided.decided,
        ),
    )


async def decide_chunk(undecided: Undecided, customer_ids: Sequence[UUID]) -> None:
    """Decides for some customers, as their estimates are now."""
    rows = await _rows(
        """
        SELECT id FROM customer_subscription
        WHERE organization_id = $1 AND customer_id = ANY($2::uuid[])
          AND status NOT IN ('CANCELED', 'SCHEDULED')
        """,
        undecided.organization_id,
        customer_ids,
    )
    ids = [row["id"] for row in rows]
    found = await estimates(undecided.organization_id, ids, open_only=True)
    values = _values(undecided, found.upcoming)
    if await _rows(_REACHED, *values):
        async with in_transaction() as connection:
            await lock_log(connection, undecided.organization_id)
            revision = await next_revision(connection, undecided.organization_id)
            triggered = await connection.execute_query_dict(_TRIGGER, [*values, revision])
            await tell(connection, undecided.organization_id, [row["id"] for row in triggered])


def _values(undecided: Undecided, found: Mapping[UUID, Estimate]) -> list[Any]:
    """The parameters of _REACHED."""
    return [
        undecided.organization_id,
        undecided.revision,
        list(found),
        [estimate.currency for estimate in found.values()],
        [estimate.total for estimate in found.values()],
    ]


async def _rows(statement: str, *values: Any) -> list[dict[str, Any]]:
    return await get_connection("default").execute_query_dict(statement, list(values))

"""Erases a customer, unless billing still needs to know who it is."""

from typing import Any
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from metering.counting.log import lock_log
from metering.erasing.customers import erase_names, lock_customer
from metering.language.instants import format_instant
from metering.problems import Problem, problem, refuse_any

_MOST_NAMED = 10

_LIVE = """
SELECT product.name, subscription.status
FROM customer_subscription AS subscription
JOIN product ON product.organization_id = $1 AND product.id = subscription.product_id
WHERE subscription.organization_id = $1 AND subscription.customer_id = $2
  AND subscription.status <> 'CANCELED'
ORDER BY subscription.id LIMIT $3
"""

# What an invoice waits for: its events are counted, it is a draft, late usage is due.
_UNISSUED = """
SELECT product.name, subscription.corrections_due_at AS due_at
FROM customer_subscription AS subscription
JOIN product ON product.organization_id = $1 AND product.id = subscription.product_id
WHERE subscription.organization_id = $1 AND subscription.customer_id = $2
  AND subscription.status = 'CANCELED'
  AND (
      subscription.corrections_due_at IS NOT NULL
      OR EXISTS (
          SELECT FROM subscription_period AS period
          WHERE period.organization_id = $1 AND period.subscription_id = subscription.id
            AND period.invoiced_at IS NULL
      )
      OR EXISTS (
          SELECT FROM metered_period AS period
          JOIN meter ON meter.organization_id = $1 AND meter.id = period.meter_id
          WHERE period.organization_id = $1 AND period.subscription_id = subscription.id
            AND period.closed_at IS NOT NULL
            AND (period.needs_correction OR period.is_behind AND meter.archived_at IS NULL)
      )
      OR EXISTS (
          SELECT FROM billing_frontier AS frontier
          WHERE frontier.organization_id = $1 AND frontier.customer_id = $2
            AND frontier.late_from IS NOT NULL
      )
  )
ORDER BY subscription.id LIMIT $3
"""


async def erase_customer(
    connection: BaseDBAsyncClient, organization_id: UUID, customer_id: UUID, field: str
) -> bool:
    """Erases what names a customer, in a transaction. False if it was erased before.

    Raises:
        RefusedError: a subscription is live, or an invoice is not issued. `field` named the
            customer.
    """
    # Everything that changes a customer locks it before the log.
    if not await lock_customer(connection, organization_id, customer_id):
        return False
    await lock_log(connection, organization_id)
    values = [organization_id, customer_id, _MOST_NAMED]
    problems = [
        _in_use(f"Its subscription to “{row['name']}” is {row['status'].lower()}.", field)
        for row in await connection.execute_query_dict(_LIVE, values)
    ]
    problems += [
        _in_use(_unissued(row), field)
        for row in await connection.execute_query_dict(_UNISSUED, values)
    ]
    refuse_any(problems)
    await erase_names(connection, organization_id, customer_id)
    return True


def _unissued(row: dict[str, Any]) -> str:
    if row["due_at"] is None:
        return f"An invoice for “{row['name']}” is not issued yet."
    return (
        f"Usage of “{row['name']}” has changed since it was invoiced. That is invoiced at"
        f" {format_instant(row['due_at'])}; erase the customer after it."
    )


def _in_use(message: str, field: str) -> Problem:
    return problem("IN_USE", message, field)

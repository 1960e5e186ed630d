"""Invoices that are not made, because an amount of theirs is larger than clients read exactly.

The subscription is marked with the problem. It is billed again once its usage has changed.
"""

from collections.abc import Iterable, Mapping
from uuid import UUID

import structlog

from billing.transaction import BillingTransaction

_log = structlog.get_logger(__name__)


async def withhold_invoices(transaction: BillingTransaction, problems: Mapping[UUID, str]) -> None:
    """Marks subscriptions, by id, so that no invoice of them is tried meanwhile."""
    if not problems:
        return
    await transaction.connection.execute_query(
        """
        UPDATE customer_subscription AS kept SET invoicing_problem = found.problem
        FROM unnest($2::uuid[], $3::text[]) AS found (id, problem)
        WHERE kept.organization_id = $1 AND kept.id = found.id
        """,
        [transaction.organization_id, list(problems), list(problems.values())],
    )
    for subscription_id, problem in problems.items():
        _log.error(
            "an invoice is withheld",
            organization_id=str(transaction.organization_id),
            subscription_id=str(subscription_id),
            reason=problem,
        )


async def release_invoices(
    transaction: BillingTransaction, subscription_ids: Iterable[UUID]
) -> None:
    """Lets invoices of these subscriptions be tried again."""
    await transaction.connection.execute_query(
        """
        UPDATE customer_subscription SET invoicing_problem = NULL
        WHERE organization_id = $1 AND id = ANY($2::uuid[]) AND invoicing_problem IS NOT NULL
        """,
        [transaction.organization_id, list(set(subscription_ids))],
    )

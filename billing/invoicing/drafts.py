"""Drafts: invoices of closed periods during the organization's grace.

A draft has no number and no lines of its own. Whoever looks at it gets the lines that it would
have now, and when its grace is over, its period is invoiced like one without a grace.

A subscription's drafts are issued in the order of its periods, so none ends before an older one.
"""

from collections.abc import Sequence
from uuid import UUID

from billing.transaction import BillingTransaction, columns
from metering.live.outbox import OutboxType
from models.identifiers import new_id


async def draft_periods(transaction: BillingTransaction, subscription_ids: Sequence[UUID]) -> None:
    """Makes drafts for the closed periods of these subscriptions whose grace is not over."""
    rows = await transaction.rows(
        """
        SELECT * FROM (
            SELECT period.id, period.subscription_id, period.period_index,
                   subscription.customer_id, product.currency,
                   greatest(
                       period.ends_at
                           + nullif(organization.invoice_grace_hours, 0) * interval '1 hour',
                       (SELECT max(older.draft_until) FROM subscription_period older
                        WHERE older.organization_id = $1
                          AND older.subscription_id = period.subscription_id)
                   ) AS draft_until
            FROM subscription_period period
            JOIN organization ON organization.id = $1
            JOIN customer_subscription subscription
                ON subscription.organization_id = $1 AND subscription.id = period.subscription_id
            JOIN product
                ON product.organization_id = $1 AND product.id = subscription.product_id
            WHERE period.organization_id = $1 AND period.subscription_id = ANY($2::uuid[])
              AND period.invoiced_at IS NULL AND period.draft_until IS NULL
              AND period.invoice_id IS NULL
              -- Nothing would be on the invoice of a product that is free, or if the subscription
              -- has ended in its trial.
              AND NOT coalesce(subscription.ended_at <= subscription.trial_ends_at, false)
              AND (period.charges <> '[]' OR EXISTS (
                  SELECT FROM metered_period metered
                  WHERE metered.organization_id = $1
                    AND metered.subscription_id = period.subscription_id
                    AND metered.ends_at = period.ends_at AND metered.closed_at IS NOT NULL
                    AND metered.product_price_id IS NOT NULL
              ))
        ) AS period
        WHERE draft_until > $3
        ORDER BY subscription_id, period_index
        """,
        list(subscription_ids),
        transaction.now,
    )
    if not rows:
        return
    drafts = [(new_id(), row) for row in rows]
    await transaction.run(
        """
        WITH draft AS (
            SELECT * FROM unnest(
                $2::uuid[], $3::uuid[], $4::timestamptz[], $5::uuid[], $6::uuid[], $7::text[]
            ) AS draft (id, period_id, draft_until, customer_id, subscription_id, currency)
        ), made AS (
            INSERT INTO invoice (
                organization_id, status, id, issued_at, customer_id, subscription_id, currency
            )
            SELECT $1, 'DRAFT', id, draft_until, customer_id, subscription_id, currency FROM draft
        )
        UPDATE subscription_period AS kept
        SET invoice_id = draft.id, draft_until = draft.draft_until
        FROM draft
        WHERE kept.organization_id = $1 AND kept.id = draft.period_id
        """,
        *columns(
            drafts,
            lambda draft: draft[0],
            lambda draft: draft[1]["id"],
            lambda draft: draft[1]["draft_until"],
            lambda draft: draft[1]["customer_id"],
            lambda draft: draft[1]["subscription_id"],
            lambda draft: draft[1]["currency"],
        ),
    )
    await transaction.publish(OutboxType.INVOICE_DRAFTED, *(draft[0] for draft in drafts))


async def end_grace_of_due_drafts(transaction: BillingTransaction) -> int:
    """Lets the periods be invoiced whose grace is over."""
    await transaction.run(
        """
        UPDATE subscription_period SET draft_until = NULL
        WHERE organization_id = $1 AND draft_until <= $2
        """,
        transaction.now,
    )
    return 0


async def end_grace(
    transaction: BillingTransaction, subscription_ids: Sequence[UUID], through: int | None = None
) -> None:
    """Lets the periods of subscriptions be invoiced now: those up to an index, or all."""
    await transaction.run(
        """
        WITH ended AS (
            UPDATE subscription_period SET draft_until = NULL
            WHERE organization_id = $1 AND subscription_id = ANY($2::uuid[])
              AND draft_until IS NOT NULL
              AND ($4::int IS NULL OR period_index <= $4)
            RETURNING invoice_id
        )
        UPDATE invoice SET issued_at = least(issued_at, $3)
        WHERE organization_id = $1 AND id IN (SELECT invoice_id FROM ended)
        """,
        list(subscription_ids),
        transaction.now,
        through,
    )

"""Invoices what is due: closed periods, and late usage of ended subscriptions."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from billing.catalog.catalog_products import usage_recurrence
from billing.invoicing.bills import bills_for
from billing.invoicing.drafts import draft_periods, end_grace
from billing.invoicing.invoices import issue
from billing.periods.billed_meters import counted_meters
from billing.periods.intervals import (
    Recurrence,
    RecurringInterval,
    at_most_a_month,
    period_around,
)
from billing.periods.rerating import rerate_late
from billing.transaction import STAMPED, BillingTransaction, columns

# A chunk of this size holds the log of an organization for about half a second.
CHUNK = 250

_PERIODS = """
    SELECT period.id, period.subscription_id, period.period_index, period.ends_at, period.is_last,
           period.charges, subscription.customer_id, product.currency,
           coalesce(subscription.ended_at <= subscription.trial_ends_at, false) AS ended_in_trial,
           subscription.invoicing_problem, draft.id AS draft_id,
           coalesce(draft.issued_at, period.ends_at) AS counts_until,
           (SELECT array_agg(metered.meter_id) FROM metered_period metered
            WHERE metered.organization_id = $1
              AND metered.subscription_id = period.subscription_id
              AND metered.ends_at = period.ends_at AND metered.closed_at IS NOT NULL) AS meter_ids,
           (SELECT array_agg(metered.meter_id) FROM metered_period metered
            WHERE metered.organization_id = $1
              AND metered.subscription_id = period.subscription_id
              AND metered.ends_at = period.ends_at AND metered.rate_units IS NOT NULL)
               AS rated_meter_ids
    FROM ({periods}) AS period
    JOIN customer_subscription subscription
        ON subscription.organization_id = $1 AND subscription.id = period.subscription_id
    LEFT JOIN product
        ON product.organization_id = $1 AND product.id = subscription.product_id
    LEFT JOIN invoice draft ON draft.organization_id = $1 AND draft.id = period.invoice_id
    ORDER BY period.subscription_id, period.period_index
"""
# The oldest waiting period of each subscription, because periods are invoiced in order. The partial
# index is in the order of subscriptions, so a chunk reads only its own rows.
_OLDEST = """
    SELECT DISTINCT ON (subscription_id) * FROM subscription_period
    WHERE organization_id = $1 AND invoiced_at IS NULL AND draft_until IS NULL AND {which}
    ORDER BY subscription_id, period_index
    LIMIT {limit}
"""
_OF_SUBSCRIPTIONS = _PERIODS.format(
    periods=_OLDEST.format(which="subscription_id = ANY($2::uuid[])", limit="ALL")
)
_NEXT_CHUNK = _PERIODS.format(
    periods=_OLDEST.format(which="subscription_id > $2::uuid", limit=f"{CHUNK:d}")
)
_WITH_DRAFTS = _PERIODS.format(
    periods="""
        SELECT * FROM subscription_period
        WHERE organization_id = $1 AND subscription_id = ANY($2::uuid[])
          AND invoiced_at IS NULL AND draft_until IS NULL
        UNION ALL
        SELECT * FROM subscription_period
        WHERE organization_id = $1 AND subscription_id = ANY($2::uuid[])
          AND draft_until IS NOT NULL
    """
)
FIRST = UUID(int=0)


async def waiting_periods(
    connection: BaseDBAsyncClient, organization_id: UUID, subscription_ids: Sequence[UUID]
) -> list[dict[str, Any]]:
    """Loads the oldest closed period of each subscription that is neither invoiced nor a draft."""
    return await connection.execute_query_dict(
        _OF_SUBSCRIPTIONS, [organization_id, list(subscription_ids)]
    )


async def uninvoiced_periods(
    connection: BaseDBAsyncClient, organization_id: UUID, subscription_ids: Sequence[UUID]
) -> dict[UUID, list[dict[str, Any]]]:
    """Loads all closed periods that are not invoiced yet, by subscription, oldest first."""
    rows = await connection.execute_query_dict(
        _WITH_DRAFTS, [organization_id, list(subscription_ids)]
    )
    found: dict[UUID, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["subscription_id"], []).append(row)
    return found


async def invoice_periods_of(
    transaction: BillingTransaction, subscription_ids: Sequence[UUID]
) -> None:
    """Invoices the waiting periods of these subscriptions if all their usage is counted.

    Periods whose grace is not over become drafts. The caller has rated late usage in this
    transaction.
    """
    await draft_periods(transaction, subscription_ids)
    while ready := await _ready(
        transaction,
        await waiting_periods(
            transaction.connection, transaction.organization_id, subscription_ids
        ),
    ):
        await issue(transaction, await bills_for(transaction, ready))


async def invoice_with_what_is_counted(
    transaction: BillingTransaction, subscription_id: UUID
) -> None:
    """Invoices all closed periods of a subscription now, with the usage that is counted by now.

    Later invoices correct what is counted afterwards. The caller has rated late usage.
    """
    await end_grace(transaction, [subscription_id])
    connection, organization_id = transaction.connection, transaction.organization_id
    while rows := await waiting_periods(connection, organization_id, [subscription_id]):
        if rows[0]["invoicing_problem"] is not None:
            return
        await issue(transaction, await bills_for(transaction, rows))


async def invoice_waiting_periods(
    transaction: BillingTransaction, after: UUID
) -> tuple[int, UUID | None]:
    """Invoices the waiting periods of a chunk of subscriptions if all their usage is counted.

    The chunk begins after the subscription `after`. Returns how many periods were ready, and the
    last subscription of the chunk; None if the chunk is empty.
    """
    rows = await transaction.rows(_NEXT_CHUNK, after)
    ready = await _ready(transaction, rows)
    await rerate_late(transaction, [row["customer_id"] for row in ready])
    await issue(transaction, await bills_for(transaction, ready))
    return len(ready), rows[-1]["subscription_id"] if rows else None


async def schedule_corrections(transaction: BillingTransaction) -> int:
    """Decides when ended subscriptions are invoiced for late usage.

    The invoice is due at the end of the usage period in which the last one was issued, so that it
    collects the late usage until then, and what was voided. Periods that are longer than a month go
    by months here.
    """
    rows = await transaction.rows(
        """
        SELECT subscription.id, subscription.anchor_at, product.recurring_interval,
               product.interval_count, product.usage_interval,
               coalesce(
                   (SELECT max(invoice.issued_at) FROM invoice
                    WHERE invoice.organization_id = $1
                      AND invoice.subscription_id = subscription.id
                      AND invoice.status <> 'DRAFT'),
                   subscription.ended_at
               ) AS issued_at
        FROM (
            SELECT subscription_id FROM metered_period
            WHERE organization_id = $1 AND needs_correction
            UNION
            SELECT subscription_id FROM invoice WHERE organization_id = $1 AND needs_rebilling
        ) AS unbilled
        JOIN customer_subscription subscription
            ON subscription.organization_id = $1 AND subscription.id = unbilled.subscription_id
        JOIN product
            ON product.organization_id = $1 AND product.id = subscription.product_id
        WHERE subscription.status = 'CANCELED' AND subscription.corrections_due_at IS NULL
        """
    )
    due = []
    for row in rows:
        every = Recurrence(RecurringInterval(row["recurring_interval"]), row["interval_count"])
        usage = at_most_a_month(usage_recurrence(every, row["usage_interval"]))
        period = period_around(row["anchor_at"], usage, row["issued_at"])
        due.append((row["id"], period.end))
    await transaction.run(
        f"""
        UPDATE customer_subscription AS kept SET corrections_due_at = due.at, {STAMPED}
        FROM unnest($2::uuid[], $3::timestamptz[]) AS due (id, at)
        WHERE kept.organization_id = $1 AND kept.id = due.id
        """,
        *columns(due, lambda pair: pair[0], lambda pair: pair[1]),
    )
    return 0


async def invoice_due_corrections(transaction: BillingTransaction) -> int:
    """Invoices the late usage of a chunk of ended subscriptions."""
    rows = await transaction.rows(
        """
        SELECT subscription.id AS subscription_id, subscription.customer_id, product.currency,
               coalesce(
                   subscription.ended_at <= subscription.trial_ends_at, false
               ) AS ended_in_trial
        FROM customer_subscription subscription
        JOIN product
            ON product.organization_id = $1 AND product.id = subscription.product_id
        WHERE subscription.organization_id = $1 AND subscription.corrections_due_at <= $2
          AND subscription.invoicing_problem IS NULL
        ORDER BY subscription.corrections_due_at, subscription.id LIMIT $3
        FOR UPDATE OF subscription SKIP LOCKED
        """,
        transaction.now,
        CHUNK,
    )
    await rerate_late(transaction, [row["customer_id"] for row in rows])
    await issue(transaction, await bills_for(transaction, rows))
    await transaction.run(
        f"""
        UPDATE customer_subscription SET corrections_due_at = NULL, {STAMPED}
        WHERE organization_id = $1 AND id = ANY($2::uuid[]) AND invoicing_problem IS NULL
        """,
        [row["subscription_id"] for row in rows],
    )
    return len(rows)


async def _ready(
    transaction: BillingTransaction, rows: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Returns the rows whose usage is all counted and whose invoices are not withheld."""
    if not rows:
        return []
    meters = await counted_meters(
        transaction.connection,
        transaction.organization_id,
        transaction.head,
        {meter_id for row in rows for meter_id in row["meter_ids"] or ()},
    )
    return [
        row
        for row in rows
        if row["invoicing_problem"] is None
        and all(
            meters[meter_id].has_counted_through(
                row["counts_until"], by_dimension=meter_id in (row["rated_meter_ids"] or ())
            )
            for meter_id in row["meter_ids"] or ()
        )
    ]

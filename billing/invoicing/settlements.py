"""Loads and stores the minimums and discounts of closed periods, and what was billed of them."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from billing.invoicing.charges import charges_of
from billing.periods.intervals import Period
from billing.periods.metered_periods import MeteredPeriod
from billing.rating.discounts import Discount
from billing.rating.settlements import Minimum, Settled, Settlement, charged_in_advance
from billing.transaction import BillingTransaction, columns
from models import exact_json


async def settlements(
    connection: BaseDBAsyncClient,
    organization_id: UUID,
    period_ids: Iterable[UUID],
    metered: Sequence[MeteredPeriod],
) -> dict[UUID, list[Settlement]]:
    """Loads the settlements of closed periods, by subscription.

    Args:
        connection: a transaction.
        organization_id: the organization.
        period_ids: closed periods of subscriptions.
        metered: metered periods of subscriptions. The periods that they are of are loaded too.
    """
    rows = await connection.execute_query_dict(
        """
        WITH asked AS (
            SELECT DISTINCT * FROM unnest($3::uuid[], $4::timestamptz[], $5::timestamptz[])
                AS asked (subscription_id, starts_at, ends_at)
        ), found AS (
            SELECT id FROM subscription_period
            WHERE organization_id = $1 AND id = ANY($2::uuid[])
            UNION
            SELECT period.id
            FROM asked
            JOIN subscription_period period
                ON period.organization_id = $1
               AND period.subscription_id = asked.subscription_id
               AND period.starts_at = asked.starts_at AND period.ends_at = asked.ends_at
        )
        SELECT period.*, (
            SELECT coalesce(sum(metered.billed_amount), 0) FROM metered_period metered
            WHERE metered.organization_id = $1
              AND metered.subscription_id = period.subscription_id
              AND metered.starts_at = period.starts_at AND metered.ends_at = period.ends_at
        ) AS usage_billed
        FROM found
        JOIN subscription_period period
            ON period.organization_id = $1 AND period.id = found.id
           AND (period.minimum_amount IS NOT NULL OR period.discount IS NOT NULL)
        ORDER BY period.subscription_id, period.period_index
        """,
        [
            organization_id,
            list(period_ids),
            *columns(
                metered,
                lambda period: period.subscription_id,
                lambda period: period.start,
                lambda period: period.end,
            ),
        ],
    )
    by_subscription: dict[UUID, list[Settlement]] = {}
    for row in rows:
        by_subscription.setdefault(row["subscription_id"], []).append(_settlement(row))
    return by_subscription


def _settlement(row: dict[str, Any]) -> Settlement:
    discount, billed, off = row["discount"], row["minimum_billed"], row["discount_billed"]
    minimum = None
    if row["minimum_amount"] is not None:
        minimum = Minimum(row["minimum_amount"], row["minimum_price_id"])
    return Settlement(
        id=row["id"],
        period=Period(row["starts_at"], row["ends_at"]),
        minimum=minimum,
        discount=None if discount is None else Discount.from_json(exact_json.loads(discount)),
        charged=charged_in_advance(charges_of(row["charges"])),
        usage_billed=int(row["usage_billed"]),
        minimum_billed=None if billed is None else int(billed),
        discount_billed=None if off is None else int(off),
    )


async def store_settled(transaction: BillingTransaction, settled: Sequence[Settled]) -> None:
    """Stores what has been billed of minimums and discounts."""
    closed = [one for one in settled if one.id is not None]
    if closed:
        await transaction.run(
            """
            UPDATE subscription_period AS kept
            SET minimum_billed = settled.minimum, discount_billed = settled.discount
            FROM unnest($2::uuid[], $3::numeric[], $4::numeric[]) AS settled (id, minimum, discount)
            WHERE kept.organization_id = $1 AND kept.id = settled.id
            """,
            *columns(closed, lambda one: one.id, lambda one: one.minimum, lambda one: one.discount),
        )

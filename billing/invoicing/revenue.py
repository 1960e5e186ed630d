"""Reads what was invoiced over time, and in which currency most is invoiced."""

from collections.abc import Sequence
from uuid import UUID

from tortoise.connection import get_connection

from metering.usage.windows import Window

_INVOICED = """
SELECT width_bucket(at, $3::timestamptz[]) AS ordinal, sum(amount) AS amount
FROM (
    SELECT issued_at AS at, total + balance_used AS amount FROM invoice
    WHERE organization_id = $1 AND currency = $2 AND status <> 'DRAFT'
      AND issued_at >= $4 AND issued_at < $5
    UNION ALL
    SELECT voided_at, -total - balance_used FROM invoice
    WHERE organization_id = $1 AND currency = $2 AND voided_at >= $4 AND voided_at < $5
    UNION ALL
    SELECT issued_at, -amount FROM credit_note
    WHERE organization_id = $1 AND currency = $2 AND issued_at >= $4 AND issued_at < $5
) AS moved
GROUP BY ordinal
"""

_MOST_USED = """
SELECT currency FROM (
    SELECT price.currency, 1 AS uses FROM product_price price WHERE price.organization_id = $1
    UNION ALL
    SELECT recent.currency, 2 FROM (
        SELECT currency FROM invoice WHERE organization_id = $1
        ORDER BY issued_at DESC, id DESC LIMIT 1000
    ) AS recent
) AS used
GROUP BY currency ORDER BY sum(uses) DESC, currency LIMIT 1
"""

_LIVE = """
SELECT id FROM customer_subscription
WHERE organization_id = $1 AND status IN ('ACTIVE', 'TRIALING') AND id > $2 ORDER BY id LIMIT $3
"""


async def invoiced(organization_id: UUID, currency: str, windows: Sequence[Window]) -> list[int]:
    """What was invoiced in each window, less what was voided or credited in it, in minor units.

    A balance that an invoice uses is a payment, and takes nothing off.
    """
    if not windows:
        return []
    rows = await get_connection("default").execute_query_dict(
        _INVOICED,
        [
            organization_id,
            currency,
            [window.start for window in windows],
            windows[0].start,
            windows[-1].end,
        ],
    )
    found = {row["ordinal"]: int(row["amount"]) for row in rows}
    return [found.get(ordinal, 0) for ordinal in range(1, len(windows) + 1)]


async def most_used_currency(organization_id: UUID) -> str | None:
    """The currency of most of the latest invoices and of prices; None if there are neither."""
    rows = await get_connection("default").execute_query_dict(_MOST_USED, [organization_id])
    return rows[0]["currency"] if rows else None


async def live_subscriptions(organization_id: UUID, after: UUID, limit: int) -> list[UUID]:
    """The first subscriptions with a current period after an id, at most so many."""
    rows = await get_connection("default").execute_query_dict(
        _LIVE, [organization_id, after, limit]
    )
    return [row["id"] for row in rows]

"""Reads which usage was paid from grants, period by period."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from billing.periods.current_credit import CurrentCredit, current_credit
from billing.periods.open_periods import PeriodKey

AskedGrant = tuple[UUID, PeriodKey, int]
"""A grant, its customer and meter, and how many periods to return."""


@dataclass(frozen=True, slots=True)
class GrantUsage:
    """The units of a grant that usage of the period [start, end) has burned, and its invoice."""

    start: datetime
    end: datetime | None
    units: Decimal
    invoice_id: UUID | None = None


async def usage_of_grants(
    connection: BaseDBAsyncClient,
    organization_id: UUID,
    asked: Sequence[AskedGrant],
    now: datetime,
) -> list[list[GrantUsage]]:
    """Returns the usage that was paid from each grant, the latest period first.

    The connection's transaction has one snapshot.
    """
    keys = list(dict.fromkeys(key for _, key, _ in asked))
    credits_ = await current_credit(connection, organization_id, keys, now)
    rows = await connection.execute_query_dict(
        """
        SELECT asked.place, closed.*
        FROM unnest($2::int[], $3::uuid[], $4::int[]) AS asked (place, grant_id, most)
        CROSS JOIN LATERAL (
            SELECT period.starts_at, period.ends_at, held.burned, (
                SELECT served.invoice_id FROM subscription_period served
                WHERE served.organization_id = $1
                  AND served.subscription_id = period.subscription_id
                  AND served.starts_at = period.starts_at AND served.ends_at = period.ends_at
                LIMIT 1
            ) AS invoice_id
            FROM credit_holding held
            JOIN metered_period period
              ON period.organization_id = $1 AND period.id = held.metered_period_id
            WHERE held.organization_id = $1 AND held.credit_grant_id = asked.grant_id
              AND held.burned > 0 AND period.closed_at IS NOT NULL
            ORDER BY period.starts_at DESC
            LIMIT asked.most
        ) AS closed
        ORDER BY asked.place, closed.starts_at DESC
        """,
        [
            organization_id,
            list(range(len(asked))),
            [grant_id for grant_id, _, _ in asked],
            [most for _, _, most in asked],
        ],
    )
    found = [_current(credits_.get(key), grant_id) for grant_id, key, _ in asked]
    for row in rows:
        used = GrantUsage(row["starts_at"], row["ends_at"], row["burned"], row["invoice_id"])
        found[row["place"]].append(used)
    return [used[:most] for used, (_, _, most) in zip(found, asked, strict=True)]


def _current(credit: CurrentCredit | None, grant_id: UUID) -> list[GrantUsage]:
    """Returns what usage of the open period has burned of a grant, if it has burned any."""
    if credit is None or credit.period.start is None or not credit.burned.get(grant_id):
        return []
    return [GrantUsage(credit.period.start, credit.period.end, credit.burned[grant_id])]

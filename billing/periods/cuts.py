"""Ends metered periods early because their subscription changes: see `Cut`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from uuid import UUID

from billing.catalog.benefits import stored_benefit
from billing.periods.credit import Credit, Cut
from billing.periods.intervals import Period
from billing.periods.metered_periods import Grant, MeteredPeriod
from billing.periods.shares import share
from billing.transaction import BillingTransaction
from models import exact_json


def served_share(period: MeteredPeriod, at: datetime, whole: Period) -> Fraction:
    """Returns the part of a whole period that an open period covers if it ends at `at`."""
    return share(Period(period.start or whole.start, at), whole)


async def cuts_at(
    transaction: BillingTransaction, at: Mapping[UUID, tuple[datetime, Period]]
) -> dict[UUID, Cut]:
    """Returns the cuts of open periods, by id.

    Args:
        transaction: the transaction, which holds the log.
        at: for each open period, the instant of the cut and the whole period that it is in.
    """
    granted = await _granted(transaction, list(at))
    found: dict[UUID, Cut] = {}
    for period_id, (instant, whole) in at.items():
        remaining = share(Period(instant, whole.end), whole)
        credit = revocable = Credit()
        for grant, of_benefit in granted.get(period_id, []):
            credit = credit.plus(grant.credit)
            revocable = revocable.plus(of_benefit.part(remaining).credit)
        found[period_id] = Cut(credit, revocable)
    return found


async def _granted(
    transaction: BillingTransaction, period_ids: Sequence[UUID]
) -> dict[UUID, list[tuple[Grant, Grant]]]:
    """Returns what was granted for each period, and what its benefit grants for a whole period.

    This is read from the ledger, because the product's benefits may have changed since.
    """
    if not period_ids:
        return {}
    rows = await transaction.rows(
        """
        SELECT entry.metered_period_id, entry.units, entry.is_rolling, benefit.*
        FROM credit_entry entry
        JOIN benefit ON benefit.organization_id = $1 AND benefit.id = entry.benefit_id
        WHERE entry.organization_id = $1 AND entry.metered_period_id = ANY($2::uuid[])
          AND entry.kind = 'GRANT'
        ORDER BY entry.id
        """,
        list(period_ids),
    )
    found: dict[UUID, list[tuple[Grant, Grant]]] = {}
    for row in rows:
        parameters = exact_json.loads(row["parameters"])
        whole = stored_benefit(row["kind"], row["meter_id"], parameters).grant(row["id"])
        if whole is not None:
            grant = Grant(row["id"], row["units"], row["is_rolling"])
            found.setdefault(row["metered_period_id"], []).append((grant, whole))
    return found

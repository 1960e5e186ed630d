"""Bills: what a subscription is invoiced for with a closed period, or for corrections only."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from billing.invoicing.charges import charges_of
from billing.invoicing.invoices import Bill, unbilled_periods
from billing.invoicing.rebilling import NOTHING_AGAIN, rebillings
from billing.invoicing.settlements import settlements
from billing.periods.metered_periods import MeteredPeriod
from billing.transaction import BillingTransaction


async def bills_for(transaction: BillingTransaction, rows: Sequence[dict[str, Any]]) -> list[Bill]:
    """Returns a bill for each row: for its period, or only for corrections if it has none."""
    connection, organization_id = transaction.connection, transaction.organization_id
    ids = [row["subscription_id"] for row in rows]
    unbilled = await unbilled_periods(connection, organization_id, ids)
    again = await rebillings(connection, organization_id, ids)
    periods = {
        row["subscription_id"]: periods_through(
            unbilled.get(row["subscription_id"], []), row.get("ends_at")
        )
        for row in rows
    }
    settled = await settlements(
        connection,
        organization_id,
        [row["id"] for row in rows if "id" in row],
        [period for of_subscription in periods.values() for period in of_subscription],
    )
    return [
        Bill(
            subscription_id=row["subscription_id"],
            customer_id=row["customer_id"],
            currency=row["currency"],
            periods=periods[row["subscription_id"]],
            charges=charges_of(row.get("charges", "[]")),
            is_free=row["ended_in_trial"],
            period_id=row.get("id"),
            draft_id=row.get("draft_id"),
            again=again.get(row["subscription_id"], NOTHING_AGAIN),
            settlements=settled.get(row["subscription_id"], []),
        )
        for row in rows
    ]


def periods_through(
    periods: Iterable[MeteredPeriod], through: datetime | None, after: datetime | None = None
) -> list[MeteredPeriod]:
    """Returns the periods to bill with the period that ends at `through`.

    These are corrections, what was voided, and periods up to `through`: later ones get an invoice
    of their own. None bills no period for the first time. If an older invoice is still a draft,
    its period ends at `after`: that invoice bills everything else.
    """
    return [
        period
        for period in periods
        if (after is None and (period.billed is not None or period.is_voided))
        or (
            period.billed is None
            and not period.is_voided
            and through is not None
            and period.end is not None
            and period.end <= through
            and (after is None or after < period.end)
        )
    ]

"""Previews a change of a subscription: makes the real change in a rehearsal."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from billing.invoicing.due_invoices import invoice_with_what_is_counted
from billing.periods.rerating import rerate_late
from billing.subscriptions.changes import SubscriptionChange, change_subscription, invoice_of_period
from billing.subscriptions.cycle import edit
from billing.subscriptions.life import locked_subscription, subscription_row
from billing.subscriptions.rehearsal import rehearsal
from billing.subscriptions.renewal import Touched, renew_subscriptions
from billing.transaction import billing_transaction
from models import CustomerSubscription, InvoiceLine, Product
from models.identifiers import new_id


@dataclass(frozen=True, slots=True)
class ChangePreview:
    """What a change would make: the lines of an invoice, and credit by meter, in units.

    `problem` is the reason why the invoice could not be issued; None if it could.
    """

    customer_id: UUID
    subscription_id: UUID
    lines: list[InvoiceLine]
    currency: str
    next_period_end: datetime
    credit_changes: dict[UUID, Decimal]
    problem: str | None


async def preview_change(
    organization_id: UUID, subscription_id: UUID, change: SubscriptionChange
) -> ChangePreview:
    """Returns what a change would make at this instant.

    A change that takes effect with the next period, or with the first, is followed by that period's
    beginning, as if there was no usage after this instant.

    Raises:
        RefusedError: what `change_subscription` raises.
    """
    async with rehearsal(organization_id) as connection:
        # What is due, and late usage, come before the change, and are no part of it.
        async with edit(organization_id, Touched("id", subscription_id)) as transaction:
            before = await locked_subscription(transaction, subscription_id)
            await rerate_late(transaction, [before.customer_id])
        mark = new_id()
        row, invoice = await change_subscription(organization_id, subscription_id, change)
        if row.period_index == before.period_index:
            at = row.current_period_end
            async with billing_transaction(connection, organization_id, at) as later:
                last = one = await locked_subscription(later, subscription_id)
                while one.usage.end <= at:
                    last = one
                    await renew_subscriptions(later, [one])
                    one = await locked_subscription(later, subscription_id)
                await invoice_with_what_is_counted(later, subscription_id)
                invoice = await invoice_of_period(later, last)
                row = await subscription_row(later, subscription_id)
        lines = []
        if invoice is not None:
            lines = await InvoiceLine.filter(
                organization_id=organization_id, invoice_id=invoice.id
            ).order_by("ordinal")
        product = await Product.get(organization_id=organization_id, id=row.product_id)
        return ChangePreview(
            customer_id=row.customer_id,
            subscription_id=row.id,
            lines=lines,
            currency=product.currency,
            next_period_end=row.current_period_end,
            credit_changes=await _credit_changes(connection, row, mark),
            problem=row.invoicing_problem,
        )


async def _credit_changes(
    connection: BaseDBAsyncClient, subscription: CustomerSubscription, mark: UUID
) -> dict[UUID, Decimal]:
    """Returns what was granted and taken back since `mark` in the periods that have begun."""
    rows = await connection.execute_query_dict(
        """
        SELECT entry.meter_id, sum(entry.units) AS units
        FROM credit_entry entry
        JOIN metered_period period
            ON period.organization_id = $1 AND period.id = entry.metered_period_id
        WHERE entry.organization_id = $1 AND entry.customer_id = $2 AND entry.id > $3
          AND entry.kind IN ('GRANT', 'REVOKE') AND period.closed_at IS NULL
        GROUP BY entry.meter_id
        HAVING sum(entry.units) <> 0
        ORDER BY entry.meter_id
        """,
        [subscription.organization_id, subscription.customer_id, mark],
    )
    return {row["meter_id"]: row["units"] for row in rows}

"""What people do with an invoice: issue a draft now, mark it as paid, or void it."""

from datetime import datetime
from uuid import UUID

from tortoise.transactions import in_transaction

from billing.invoicing.balances import BalanceChange, balances, change_balances
from billing.invoicing.credit_notes import credited
from billing.invoicing.drafts import end_grace
from billing.invoicing.due_invoices import invoice_periods_of, schedule_corrections
from billing.invoicing.rebilling import count_as_unbilled
from billing.invoicing.states import InvoiceStatus, invoice_in
from billing.periods.rerating import rerate_late
from billing.transaction import BillingTransaction, billing_transaction
from config import clock
from metering.erasing.customers import refuse_erased
from metering.live.outbox import OutboxType
from metering.problems import RefusedError, problem, refuse_any
from metering.texts import REASON, given_name_problems, name_problems
from models import Invoice


async def finalize_invoice(organization_id: UUID, invoice_id: UUID) -> None:
    """Issues a draft now, and older drafts of its subscription before it.

    If stored events are waiting to be counted, a worker issues it as soon as they are.

    Raises:
        RefusedError: there is no such invoice, or it is not a draft.
    """
    async with (
        in_transaction() as connection,
        billing_transaction(connection, organization_id, clock.now()) as transaction,
    ):
        invoice = await invoice_in(transaction, invoice_id, "id", InvoiceStatus.DRAFT)
        periods = await transaction.rows(
            """
            SELECT period_index FROM subscription_period
            WHERE organization_id = $1 AND subscription_id = $2 AND draft_until IS NOT NULL
              AND invoice_id = $3
            """,
            invoice.subscription_id,
            invoice.id,
        )
        for period in periods:  # none if its grace is over
            await end_grace(transaction, [invoice.subscription_id], period["period_index"])
        await rerate_late(transaction, [invoice.customer_id])
        await invoice_periods_of(transaction, [invoice.subscription_id])


async def mark_paid(
    organization_id: UUID,
    invoice_id: UUID,
    paid_at: datetime | None = None,
    reference: str | None = None,
) -> None:
    """Marks an issued invoice as paid, now or in the past.

    Raises:
        RefusedError: there is no such invoice, it is not to be paid, or a value is invalid.
    """
    problems = given_name_problems(("reference", reference, REASON))
    if paid_at is not None and paid_at > clock.now():
        problems.append(problem("INVALID", "paidAt is in the future.", "paidAt"))
    refuse_any(problems)
    async with (
        in_transaction() as connection,
        billing_transaction(connection, organization_id, clock.now()) as transaction,
    ):
        invoice = await invoice_in(transaction, invoice_id, "id", InvoiceStatus.ISSUED)
        await transaction.run(
            """
            UPDATE invoice SET status = 'PAID', paid_at = $3, payment_reference = $4
            WHERE organization_id = $1 AND id = $2
            """,
            invoice.id,
            paid_at or transaction.now,
            reference,
        )
        await transaction.publish(OutboxType.INVOICE_PAID, invoice.id)


async def void_invoice(
    organization_id: UUID, invoice_id: UUID, reason: str, *, write_off: bool
) -> None:
    """Voids an issued invoice, which keeps its number and its lines.

    Args:
        organization_id: the organization.
        invoice_id: the invoice.
        reason: why.
        write_off: whether what it billed still counts as billed. Otherwise, the next invoice of
            its subscription bills it again.

    Raises:
        RefusedError: there is no such invoice, it is not to be paid, it has credit notes, the
            balance that it gave is used, or the reason is invalid. Or nothing may be billed again,
            because the customer was erased.
    """
    refuse_any(name_problems(reason, REASON, "reason"))
    found = await Invoice.get_or_none(organization_id=organization_id, id=invoice_id)
    if found is not None and not write_off:
        message = "This customer was erased, so nothing is billed again: set writeOff."
        await refuse_erased(organization_id, found.customer_id, "writeOff", message)
    async with (
        in_transaction() as connection,
        billing_transaction(connection, organization_id, clock.now()) as transaction,
    ):
        invoice = await invoice_in(transaction, invoice_id, "id", InvoiceStatus.ISSUED)
        if await credited(transaction, invoice.id):
            message = "This invoice has credit notes. Credit the rest of it instead."
            raise RefusedError(problem("IN_USE", message, "id"))
        await _take_back_balance(transaction, invoice)
        await transaction.run(
            """
            UPDATE invoice
            SET status = 'VOID', voided_at = $3, void_reason = $4, is_written_off = $5,
                needs_rebilling = NOT $5
            WHERE organization_id = $1 AND id = $2
            """,
            invoice.id,
            transaction.now,
            reason,
            write_off,
        )
        if not write_off:
            await count_as_unbilled(transaction, invoice.id)
            await schedule_corrections(transaction)
        await transaction.publish(OutboxType.INVOICE_VOIDED, invoice.id)


async def _take_back_balance(transaction: BillingTransaction, invoice: Invoice) -> None:
    """Gives back the balance that an invoice used, or takes away the one that it gave.

    A balance that is used has paid for another invoice: it is as final as a payment.
    """
    key = (invoice.customer_id, invoice.currency)
    # One of the two is zero, because only invoices above zero use a balance.
    change = int(invoice.balance_used) + min(0, int(invoice.total))
    left = await balances(transaction.connection, transaction.organization_id, [key[0]])
    if left.get(key, 0) + change < 0:
        message = "Later invoices have used the balance that this invoice gave."
        raise RefusedError(problem("IN_USE", message, "id"))
    if change:
        await change_balances(transaction, [BalanceChange(key, change, invoice.id)])

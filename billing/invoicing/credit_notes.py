"""Credit notes take an amount off an invoice, and are numbered without gaps."""

from uuid import UUID

from tortoise.transactions import in_transaction

from billing.invoicing.balances import BalanceChange, change_balances
from billing.invoicing.states import InvoiceStatus, invoice_in
from billing.transaction import BillingTransaction, billing_transaction
from config import clock
from metering.live.outbox import OutboxType
from metering.problems import RefusedError, problem, refuse_any
from metering.texts import REASON, name_problems
from models import CreditNote


async def create_credit_note(
    organization_id: UUID, invoice_id: UUID, amount: int, reason: str, *, refunded: bool
) -> CreditNote:
    """Takes an amount, in minor units, off an issued or paid invoice.

    Args:
        organization_id: the organization.
        invoice_id: the invoice.
        amount: at most the invoice's total less its earlier credit notes.
        reason: why.
        refunded: whether the amount is settled elsewhere. Otherwise the customer's next invoices
            use it up.

    Raises:
        RefusedError: there is no such invoice, it is a draft or void, or a value is invalid.
    """
    problems = name_problems(reason, REASON, "reason")
    if amount < 1:
        problems.append(problem("INVALID", "amount must be at least 1.", "amount"))
    refuse_any(problems)
    async with (
        in_transaction() as connection,
        billing_transaction(connection, organization_id, clock.now()) as transaction,
    ):
        states = (InvoiceStatus.ISSUED, InvoiceStatus.PAID)
        invoice = await invoice_in(transaction, invoice_id, "invoiceId", *states)
        left = int(invoice.total) - await credited(transaction, invoice.id)
        if amount > left:
            message = f"At most {max(0, left):,} minor units of this invoice are left to credit."
            raise RefusedError(problem("LIMIT_EXCEEDED", message, "amount"))
        note = await CreditNote.create(
            organization_id=organization_id,
            sequence=await _take_number(transaction),
            invoice_id=invoice.id,
            customer_id=invoice.customer_id,
            currency=invoice.currency,
            amount=amount,
            reason=reason,
            refunded=refunded,
            issued_at=transaction.now,
            using_db=connection,
        )
        if not refunded:
            key = (invoice.customer_id, invoice.currency)
            change = BalanceChange(key, amount, credit_note_id=note.id)
            await change_balances(transaction, [change])
        await transaction.publish(OutboxType.CREDIT_NOTE_ISSUED, note.id)
        return note


async def credited(transaction: BillingTransaction, invoice_id: UUID) -> int:
    """Returns what credit notes take off an invoice, in minor units."""
    rows = await transaction.rows(
        """
        SELECT coalesce(sum(amount), 0) AS amount FROM credit_note
        WHERE organization_id = $1 AND invoice_id = $2
        """,
        invoice_id,
    )
    return int(rows[0]["amount"])


async def _take_number(transaction: BillingTransaction) -> int:
    """Takes the next number. A rollback gives it back."""
    rows = await transaction.rows(
        """
        INSERT INTO credit_note_counter AS counter (organization_id, last_sequence) VALUES ($1, 1)
        ON CONFLICT (organization_id) DO UPDATE SET last_sequence = counter.last_sequence + 1
        RETURNING last_sequence
        """
    )
    number: int = rows[0]["last_sequence"]
    return number

"""The states of an invoice."""

from enum import StrEnum
from uuid import UUID

from billing.transaction import BillingTransaction
from metering.problems import RefusedError, problem
from models import Invoice


class InvoiceStatus(StrEnum):
    """Where an invoice is in its life: DRAFT → ISSUED → PAID, or ISSUED → VOID."""

    DRAFT = "DRAFT"
    ISSUED = "ISSUED"
    PAID = "PAID"
    VOID = "VOID"


_OTHERWISE = {
    InvoiceStatus.DRAFT: "is still a draft",
    InvoiceStatus.ISSUED: "has been issued already",
    InvoiceStatus.PAID: "is paid",
    InvoiceStatus.VOID: "is void",
}


async def invoice_in(
    transaction: BillingTransaction, invoice_id: UUID, path: str, *states: InvoiceStatus
) -> Invoice:
    """Locks an invoice and returns it; refuses one that is not in one of these states."""
    invoice = (
        await Invoice.filter(organization_id=transaction.organization_id, id=invoice_id)
        .using_db(transaction.connection)
        .select_for_update()
        .first()
    )
    if invoice is None:
        raise RefusedError(problem("NOT_FOUND", "There is no invoice with this id.", path))
    status = InvoiceStatus(invoice.status)
    if status not in states:
        raise RefusedError(problem("INVALID", f"This invoice {_OTHERWISE[status]}.", path))
    return invoice

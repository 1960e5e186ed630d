"""Mutations about invoices."""

from uuid import UUID

import strawberry

from billing.invoicing.credit_notes import create_credit_note
from billing.invoicing.life import finalize_invoice, mark_paid, void_invoice
from models import Invoice as InvoiceRow
from resolvers.mutating import mutates
from resolvers.refusals import required_id
from schema.context import Context, Info, Scope
from schema.inputs.invoices import (
    CreditNoteCreateInput,
    InvoiceFinalizeInput,
    InvoiceMarkPaidInput,
    InvoiceVoidInput,
)
from schema.types.invoice import CreditNote, Invoice
from schema.types.invoice_payloads import (
    CreditNoteCreatePayload,
    InvoiceFinalizePayload,
    InvoiceMarkPaidPayload,
    InvoiceVoidPayload,
)

_WRITE = Scope.BILLING_WRITE


@strawberry.type
class InvoiceMutation:
    @strawberry.mutation(
        description="Issues a draft now, before its grace is over, and older drafts of its "
        "subscription before it. If stored events are still being counted, it is issued as soon "
        "as they are, and the answer shows a DRAFT.",
        extensions=[mutates(_WRITE, makes="invoice")],
    )
    async def invoice_finalize(
        self, info: Info, input: InvoiceFinalizeInput
    ) -> InvoiceFinalizePayload:
        key = required_id(input.id, "Invoice", "id")
        await finalize_invoice(info.context.organization_id, key)
        return InvoiceFinalizePayload(invoice=await _invoice(info.context, key))

    @strawberry.mutation(
        description="Marks an issued invoice as paid. Whoever collects the money calls this.",
        extensions=[mutates(_WRITE, makes="invoice")],
    )
    async def invoice_mark_paid(
        self, info: Info, input: InvoiceMarkPaidInput
    ) -> InvoiceMarkPaidPayload:
        key = required_id(input.id, "Invoice", "id")
        await mark_paid(info.context.organization_id, key, input.paid_at, input.reference)
        return InvoiceMarkPaidPayload(invoice=await _invoice(info.context, key))

    @strawberry.mutation(
        description="Voids an issued invoice that is not paid. It keeps its number and its lines. "
        "Unless it is written off, the subscription's next invoice bills the same again.",
        extensions=[mutates(_WRITE, makes="invoice")],
    )
    async def invoice_void(self, info: Info, input: InvoiceVoidInput) -> InvoiceVoidPayload:
        key = required_id(input.id, "Invoice", "id")
        await void_invoice(
            info.context.organization_id, key, input.reason, write_off=input.write_off
        )
        return InvoiceVoidPayload(invoice=await _invoice(info.context, key))

    @strawberry.mutation(
        description="Takes an amount off an issued or paid invoice, whose lines and total stay as "
        "they are. Unless it is refunded elsewhere, the amount is a balance that the customer's "
        "next invoices in this currency use up.",
        extensions=[mutates(_WRITE, makes="credit_note")],
    )
    async def credit_note_create(
        self, info: Info, input: CreditNoteCreateInput
    ) -> CreditNoteCreatePayload:
        row = await create_credit_note(
            info.context.organization_id,
            required_id(input.invoice_id, "Invoice", "invoiceId"),
            input.amount,
            input.reason,
            refunded=input.refunded,
        )
        return CreditNoteCreatePayload(credit_note=CreditNote.of(row))


async def _invoice(context: Context, key: UUID) -> Invoice:
    return Invoice.of(await context.loaders.existing(InvoiceRow, key))

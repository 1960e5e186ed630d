"""Mutations about invoices."""

from uuid import UUID

import strawberry

from billing.invoicing.life import finalize_invoice, mark_paid, void_invoice
from models import Invoice as InvoiceRow
from resolvers.mutating import mutates
from resolvers.refusals import required_id
from schema.context import Context, Info, Scope
from schema.inputs.invoices import InvoiceFinalizeInput, InvoiceMarkPaidInput, InvoiceVoidInput
from schema.types.invoice import (
    Invoice,
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


async def _invoice(context: Context, key: UUID) -> Invoice:
    return Invoice.of(await context.loaders.existing(InvoiceRow, key))

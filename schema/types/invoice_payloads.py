"""The payloads of the mutations about invoices."""

import strawberry

from schema.errors import UserError, user_errors
from schema.types.invoice import CreditNote, Invoice


@strawberry.type(description="The issued invoice, or the reason why it was not issued.")
class InvoiceFinalizePayload:
    invoice: Invoice | None = strawberry.field(default=None, description="The invoice.")
    user_errors: list[UserError] = user_errors()


@strawberry.type(description="The paid invoice, or the reason why it was not marked as paid.")
class InvoiceMarkPaidPayload:
    invoice: Invoice | None = strawberry.field(default=None, description="The invoice.")
    user_errors: list[UserError] = user_errors()


@strawberry.type(description="The new credit note, or the reason why it was not created.")
class CreditNoteCreatePayload:
    credit_note: CreditNote | None = strawberry.field(default=None, description="The credit note.")
    user_errors: list[UserError] = user_errors()


@strawberry.type(description="The voided invoice, or the reason why it was not voided.")
class InvoiceVoidPayload:
    invoice: Invoice | None = strawberry.field(default=None, description="The invoice.")
    user_errors: list[UserError] = user_errors()

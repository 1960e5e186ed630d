"""Inputs of the mutations about invoices."""

from datetime import datetime

import strawberry

from schema.inputs.idempotency import idempotency_key
from schema.scalars import BigInt


@strawberry.input(description="The draft to issue.")
class InvoiceFinalizeInput:
    id: strawberry.ID = strawberry.field(description="The invoice's id.")
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="The invoice that was paid.")
class InvoiceMarkPaidInput:
    id: strawberry.ID = strawberry.field(description="The invoice's id.")
    paid_at: datetime | None = strawberry.field(
        default=None, description="When it was paid. By default, now."
    )
    reference: str | None = strawberry.field(
        default=None,
        description="What the payment is called elsewhere, such as the id of a bank transfer: 1 to "
        "1,000 characters.",
    )
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="The invoice to void, and why.")
class InvoiceVoidInput:
    id: strawberry.ID = strawberry.field(description="The invoice's id.")
    reason: str = strawberry.field(description="The reason: 1 to 1,000 characters.")
    write_off: bool = strawberry.field(
        default=False,
        description="Whether what the invoice billed still counts as billed, so that it is never "
        "billed again. By default, the subscription's next invoice bills it again.",
    )
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A new credit note.")
class CreditNoteCreateInput:
    invoice_id: strawberry.ID = strawberry.field(
        description="The id of the invoice to take an amount off."
    )
    amount: BigInt = strawberry.field(
        description="The amount in minor units: from 1 to the invoice's total less its earlier "
        "credit notes."
    )
    reason: str = strawberry.field(description="The reason: 1 to 1,000 characters.")
    refunded: bool = strawberry.field(
        default=False,
        description="Whether the amount is settled elsewhere: paid back, or not collected in the "
        "first place. By default, the customer's next invoices use it up.",
    )
    idempotency_key: str | None = idempotency_key()

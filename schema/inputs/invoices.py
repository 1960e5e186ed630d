"""Inputs of the mutations about invoices."""

from datetime import datetime

import strawberry

from schema.inputs.idempotency import idempotency_key


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

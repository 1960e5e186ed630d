"""Invoice, its credit notes, and the upcoming invoice."""

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from billing.invoicing.estimates import Estimate
from models import CreditNote as CreditNoteRow
from models import Customer as CustomerRow
from models import CustomerSubscription as CustomerSubscriptionRow
from models import Invoice as InvoiceRow
from schema.billing_enums import InvoiceStatus
from schema.context import Info, Scope
from schema.ids import Node, encode_id
from schema.loaders.lines import LineOrigin
from schema.permissions import requires
from schema.scalars import BigInt, CurrencyCode
from schema.types import customer, subscription  # which refer back to this module
from schema.types.invoice_line import InvoiceLine

if TYPE_CHECKING:
    from schema.types.customer import Customer
    from schema.types.subscription import CustomerSubscription

Ordinal = Annotated[
    int, strawberry.argument(description="The `ordinal` of the line: its number, from 0.")
]


@strawberry.type(description="An amount that was taken off an issued invoice. It never changes.")
class CreditNote(Node):
    row: strawberry.Private[CreditNoteRow]
    number: str = strawberry.field(
        description="The credit note's number. An organization's credit notes are numbered without "
        "gaps, apart from its invoices."
    )
    amount: BigInt = strawberry.field(
        description="The amount, in minor units of the invoice's currency."
    )
    reason: str = strawberry.field(description="The reason.")
    refunded: bool = strawberry.field(
        description="Whether the amount is settled elsewhere: paid back, or never collected. "
        "Otherwise it is a balance that the customer's next invoices use up."
    )
    issued_at: datetime = strawberry.field(description="When it was issued.")

    @strawberry.field(description="The invoice that it takes the amount off.")
    async def invoice(self, info: Info) -> "Invoice":
        return Invoice.of(await info.context.loaders.existing(InvoiceRow, self.row.invoice_id))

    @property
    def invoice_key(self) -> UUID:
        """The key of the invoice, for the audit log."""
        return self.row.invoice_id

    @property
    def customer_key(self) -> UUID:
        """The key of the customer, for the audit log."""
        return self.row.customer_id

    @classmethod
    def of(cls, row: CreditNoteRow) -> "CreditNote":
        return cls(
            id=encode_id("CreditNote", row.id),
            row=row,
            number=f"CN-{row.sequence:06}",
            amount=BigInt(int(row.amount)),
            reason=row.reason,
            refunded=row.refunded,
            issued_at=row.issued_at,
        )


@strawberry.type(
    description="An invoice. Once it is issued, its lines and amounts never change. While it is a "
    "DRAFT, they are what they would be if it was issued now. A DRAFT with an amount that is too "
    "large for clients to read exactly shows no lines, and is not issued."
)
class Invoice(Node):
    row: strawberry.Private[InvoiceRow]
    status: InvoiceStatus = strawberry.field(description="Where the invoice is in its life.")
    number: str = strawberry.field(
        description="The invoice's number. An organization's invoices are numbered without gaps as "
        "they are issued; the number of a DRAFT is empty."
    )
    currency: CurrencyCode = strawberry.field(description="The currency of all amounts.")
    issued_at: datetime = strawberry.field(
        description="When the invoice was issued, or when a DRAFT will be."
    )
    finalizes_at: datetime | None = strawberry.field(
        description="When a DRAFT will be issued. Null for all others."
    )
    due_at: datetime | None = strawberry.field(
        description="Until when it is to be paid, by the organization's `paymentTermDays` when it "
        "was issued. Null without them, and if there is nothing to pay."
    )
    paid_at: datetime | None = strawberry.field(
        description="When it was paid. Null if it is not marked as PAID."
    )
    payment_reference: str | None = strawberry.field(
        description="What identifies the payment, such as the number of a bank transfer. "
        "Null if none was given."
    )
    voided_at: datetime | None = strawberry.field(
        description="When it was voided. Null if it was not."
    )
    is_written_off: bool = strawberry.field(
        description="Whether it is VOID, and what it billed is never billed again."
    )

    @strawberry.field(
        description="Why it was voided. Null if it was not.",
        extensions=[requires(Scope.BILLING_READ)],
    )
    def void_reason(self) -> str | None:
        return self.row.void_reason

    @strawberry.field(
        description="The sum of the lines without BALANCE, in minor units: what the invoice "
        "charges before the customer's balance pays a part of it."
    )
    async def subtotal(self, info: Info) -> BigInt:
        subtotal, _total = await self._amounts(info)
        return BigInt(subtotal)

    @strawberry.field(description="The sum of the lines, in minor units: what is to be paid.")
    async def total(self, info: Info) -> BigInt:
        _subtotal, total = await self._amounts(info)
        return BigInt(total)

    @strawberry.field(description="The invoice's lines.")
    async def lines(self, info: Info) -> list[InvoiceLine]:
        return await self._lines(info)

    @strawberry.field(
        description="A line by its `ordinal`. Null if there is none, or no longer on a DRAFT."
    )
    async def line(self, info: Info, ordinal: Ordinal) -> InvoiceLine | None:
        lines = await self._lines(info)
        return lines[ordinal] if 0 <= ordinal < len(lines) else None

    async def _lines(self, info: Info) -> list[InvoiceLine]:
        draft = await self._draft(info)
        if draft is not None:
            return draft_lines(draft)
        rows = await info.context.loaders.billing.lines_of_invoice.load(self.row.id)
        issued = self.row
        origin = LineOrigin(
            issued.customer_id,
            issued.subscription_id,
            issued.sequence,
            issued.issued_at,
            issued.position,
        )
        return [InvoiceLine.of_row(row, origin) for row in rows]

    @strawberry.field(description="The credit notes that take amounts off it, oldest first.")
    async def credit_notes(self, info: Info) -> list[CreditNote]:
        rows = await info.context.loaders.billing.credit_notes_of_invoice.load(self.row.id)
        return [CreditNote.of(row) for row in rows]

    @strawberry.field(description="The customer.")
    async def customer(
        self, info: Info
    ) -> Annotated["Customer", strawberry.lazy("schema.types.customer")]:
        return customer.Customer.of(
            await info.context.loaders.existing(CustomerRow, self.row.customer_id)
        )

    @strawberry.field(description="The subscription that the invoice bills.")
    async def subscription(
        self, info: Info
    ) -> Annotated["CustomerSubscription", strawberry.lazy("schema.types.subscription")]:
        row = await info.context.loaders.existing(CustomerSubscriptionRow, self.row.subscription_id)
        return subscription.CustomerSubscription.of(row)

    async def _draft(self, info: Info) -> Estimate | None:
        """What a draft would say if it was issued now; None if it has been issued by now."""
        if self.status is not InvoiceStatus.DRAFT:
            return None
        key = (self.row.id, self.row.subscription_id)
        draft = await info.context.loaders.billing.draft.load(key)
        # One draft that cannot be issued must not hide a list of others.
        if draft is not None and draft.problem is not None:
            return replace(draft, lines=[])
        return draft

    async def _amounts(self, info: Info) -> tuple[int, int]:
        """Returns the subtotal and the total."""
        draft = await self._draft(info)
        if draft is not None:
            return draft.subtotal, draft.total
        row = self.row
        if row.total is None:
            row = await info.context.loaders.existing(InvoiceRow, row.id)
        return int(row.total + row.balance_used), int(row.total)

    @property
    def customer_key(self) -> UUID:
        """The key of the customer, for the audit log."""
        return self.row.customer_id

    @property
    def subscription_key(self) -> UUID:
        """The key of the subscription, for the audit log."""
        return self.row.subscription_id

    @classmethod
    def of(cls, row: InvoiceRow) -> "Invoice":
        status = InvoiceStatus(row.status)
        return cls(
            id=encode_id("Invoice", row.id),
            row=row,
            status=status,
            number="" if row.sequence is None else f"{row.sequence:06}",
            currency=CurrencyCode(row.currency),
            issued_at=row.issued_at,
            finalizes_at=row.issued_at if status is InvoiceStatus.DRAFT else None,
            due_at=row.due_at,
            paid_at=row.paid_at,
            payment_reference=row.payment_reference,
            voided_at=row.voided_at,
            is_written_off=row.is_written_off,
        )


@strawberry.type(
    description="The next invoice of a subscription, as if the usage period ended now. Drafts come "
    "first and are not it."
)
class UpcomingInvoice:
    currency: CurrencyCode = strawberry.field(description="The currency of all amounts.")
    lines: list[InvoiceLine] = strawberry.field(description="The invoice's lines.")
    total: BigInt = strawberry.field(description="The sum of the lines, in minor units.")
    complete_through: datetime = strawberry.field(
        description="Every event that was stored before this instant is included."
    )

    @strawberry.field(description="A line by its `ordinal`. Null if there is no longer one.")
    def line(self, ordinal: Ordinal) -> InvoiceLine | None:
        return self.lines[ordinal] if 0 <= ordinal < len(self.lines) else None

    @classmethod
    def of(cls, estimate: Estimate) -> "UpcomingInvoice":
        return cls(
            currency=CurrencyCode(estimate.currency),
            complete_through=estimate.complete_through,
            lines=draft_lines(estimate),
            total=BigInt(estimate.total),
        )


def draft_lines(estimate: Estimate) -> list[InvoiceLine]:
    """Makes the lines of an estimated invoice."""
    origin = LineOrigin(estimate.customer_id, estimate.subscription_id)
    return [
        InvoiceLine.of_estimate(line, ordinal, origin)
        for ordinal, line in enumerate(estimate.lines)
    ]

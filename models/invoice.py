"""Invoices, their lines, and the counter for their numbers."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.fields import ExactJSONField, NumericField
from models.identifiers import new_id


class Invoice(Model):
    """A bill. Once it is issued, only its status changes; its lines and amounts never do.

    `status` is DRAFT, ISSUED, PAID or VOID. `sequence` numbers the issued invoices of an
    organization without gaps. `position` is the head of the log when it was issued: it does not
    include later events. `total` is in minor units, and comes after `balance_used` of the customer.

    A DRAFT has none of the three, and no lines: they are computed whenever someone looks.
    `issued_at` is when it will be issued.

    `is_written_off`: what a VOID invoice billed still counts as billed. `needs_rebilling`: it does
    not, and the subscription's next invoice has not billed it again yet.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization_id = fields.UUIDField()
    status = fields.CharField(max_length=8, default="ISSUED", db_default="ISSUED")
    sequence = fields.BigIntField(null=True)
    customer_id = fields.UUIDField()
    subscription_id = fields.UUIDField()
    currency = fields.CharField(max_length=3)
    total = NumericField(null=True)
    balance_used = NumericField(default=0, db_default=0)
    position = fields.BigIntField(null=True)
    issued_at = fields.DatetimeField()
    due_at = fields.DatetimeField(null=True)
    paid_at = fields.DatetimeField(null=True)
    payment_reference = fields.CharField(max_length=1000, null=True)
    voided_at = fields.DatetimeField(null=True)
    void_reason = fields.CharField(max_length=1000, null=True)
    is_written_off = fields.BooleanField(default=False, db_default=False)
    needs_rebilling = fields.BooleanField(default=False, db_default=False)

    class Meta:
        table = "invoice"
        unique_together = (("organization_id", "sequence"),)
        indexes = (
            Index(fields=("organization_id", "customer_id", "id"), name="invoice_customer"),
            Index(fields=("organization_id", "subscription_id", "id"), name="invoice_subscription"),
            Index(fields=("organization_id", "issued_at", "id"), name="invoice_issued"),
            Index(fields=("organization_id", "status", "issued_at", "id"), name="invoice_status"),
        )


class InvoiceCounter(Model):
    """The last number given to an invoice of an organization."""

    organization_id = fields.UUIDField(primary_key=True)
    last_sequence = fields.BigIntField()

    class Meta:
        table = "invoice_counter"


class InvoiceLine(Model):
    """A line of an invoice, never changed. Amount in minor units.

    `kind` is a billing.rating.lines.LineKind. A metered line counts the events up to `position`; a
    correction says how those up to `position` differ from what was billed before. `converted` are
    the billable units in those of the price, if it has a conversion. `rate` is the number of the
    price's rate that it charges; that of other units, or without rates, is null. `steps` are how
    the amount came about, as billing.rating.steps stores them; a BALANCE has none.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization_id = fields.UUIDField()
    invoice_id = fields.UUIDField()
    ordinal = fields.IntField()
    kind = fields.CharField(max_length=16)
    description = fields.TextField()
    product_price_id = fields.UUIDField()
    metered_period_id = fields.UUIDField(null=True)
    period_start = fields.DatetimeField()
    period_end = fields.DatetimeField()
    consumed = NumericField(null=True)
    credited = NumericField(null=True)
    billable = NumericField(null=True)
    converted = NumericField(null=True)
    rate = fields.SmallIntField(null=True)
    amount = NumericField()
    position = fields.BigIntField(null=True)
    steps = ExactJSONField(null=True)

    class Meta:
        table = "invoice_line"
        unique_together = (("organization_id", "invoice_id", "ordinal"),)


class CreditNote(Model):
    """An amount taken off an issued invoice, never changed. Amount in minor units.

    `sequence` numbers the credit notes of an organization without gaps. `refunded`: the amount is
    settled elsewhere. Otherwise it is a balance of the customer.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization_id = fields.UUIDField()
    sequence = fields.BigIntField()
    invoice_id = fields.UUIDField()
    customer_id = fields.UUIDField()
    currency = fields.CharField(max_length=3)
    amount = NumericField()
    reason = fields.CharField(max_length=1000)
    refunded = fields.BooleanField()
    issued_at = fields.DatetimeField()

    class Meta:
        table = "credit_note"
        unique_together = (("organization_id", "sequence"),)
        indexes = (
            Index(fields=("organization_id", "invoice_id"), name="credit_note_invoice"),
            Index(fields=("organization_id", "issued_at"), name="credit_note_issued"),
        )


class CreditNoteCounter(Model):
    """The last number given to a credit note of an organization."""

    organization_id = fields.UUIDField(primary_key=True)
    last_sequence = fields.BigIntField()

    class Meta:
        table = "credit_note_counter"


class BalanceEntry(Model):
    """A signed line of a customer's balance in a currency, never changed. Amount in minor units.

    The balance is the sum of its entries, and what the next invoices use up. Each entry comes from
    an invoice or a credit note.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization_id = fields.UUIDField()
    customer_id = fields.UUIDField()
    currency = fields.CharField(max_length=3)
    amount = NumericField()
    invoice_id = fields.UUIDField(null=True)
    credit_note_id = fields.UUIDField(null=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "balance_entry"
        indexes = (
            Index(
                fields=("organization_id", "customer_id", "currency"),
                name="balance_entry_customer",
            ),
        )

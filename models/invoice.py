"""Invoices, their lines, and the counter for their numbers."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.fields import NumericField
from models.identifiers import new_id


class Invoice(Model):
    """A bill, never changed.

    `sequence` numbers the invoices of an organization without gaps. `position` is the head of
    the log when it was made: it does not include later events. `total` is in minor units.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization_id = fields.UUIDField()
    sequence = fields.BigIntField()
    customer_id = fields.UUIDField()
    subscription_id = fields.UUIDField()
    currency = fields.CharField(max_length=3)
    total = NumericField()
    position = fields.BigIntField()
    issued_at = fields.DatetimeField()

    class Meta:
        table = "invoice"
        unique_together = (("organization_id", "sequence"),)
        indexes = (
            Index(fields=("organization_id", "customer_id", "id"), name="invoice_customer"),
            Index(fields=("organization_id", "subscription_id", "id"), name="invoice_subscription"),
            Index(fields=("organization_id", "issued_at", "id"), name="invoice_issued"),
        )


class InvoiceCounter(Model):
    """The last number given to an invoice of an organization."""

    organization_id = fields.UUIDField(primary_key=True)
    last_sequence = fields.BigIntField()

    class Meta:
        table = "invoice_counter"


class InvoiceLine(Model):
    """A line of an invoice, never changed. Amount in minor units.

    `kind` is FIXED, METERED or CORRECTION. A metered line counts the events up to `position`;
    a correction says how those up to `position` differ from what was billed before.
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
    amount = NumericField()
    position = fields.BigIntField(null=True)

    class Meta:
        table = "invoice_line"
        unique_together = (("organization_id", "invoice_id", "ordinal"),)

"""Invoices, and the counter that numbers them."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.fields import NumericField
from models.identifiers import new_id


class Invoice(Model):
    """A bill, never changed.

    `sequence` numbers the invoices of an organization without gaps. `position` is the head of
    the log that it was made at: events behind it are not in it. `total` in minor units.
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
        )


class InvoiceCounter(Model):
    """The last number given to an invoice of an organization."""

    organization_id = fields.UUIDField(primary_key=True)
    last_sequence = fields.BigIntField()

    class Meta:
        table = "invoice_counter"

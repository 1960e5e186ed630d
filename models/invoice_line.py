"""What an invoice charges for."""

from tortoise import fields
from tortoise.models import Model

from models.fields import NumericField
from models.identifiers import new_id


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

"""What a product costs: a fixed amount a period, or an amount for what a meter counted."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.fields import ExactJSONField
from models.identifiers import new_id


class ProductPrice(Model):
    """A price of a product, never changed. Amounts in minor units.

    `kind` is FIXED, with `amount`, or METERED, with `meter_id`, `pricing` and what that pricing
    takes in `parameters`, as the class of its scheme stores it.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization_id = fields.UUIDField()
    product_id = fields.UUIDField()
    ordinal = fields.IntField()
    kind = fields.CharField(max_length=8)
    currency = fields.CharField(max_length=3)
    amount = fields.BigIntField(null=True)
    meter_id = fields.UUIDField(null=True)
    pricing = fields.CharField(max_length=16, null=True)
    parameters = ExactJSONField(null=True)
    cap_amount = fields.BigIntField(null=True)

    class Meta:
        table = "product_price"
        unique_together = (("organization_id", "product_id", "ordinal"),)
        indexes = (Index(fields=("organization_id", "meter_id"), name="product_price_meter"),)

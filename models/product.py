"""Products with their prices, and the benefits that come with them."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.fields import ExactJSONField
from models.identifiers import new_id


class Product(Model):
    """A product to subscribe to. Its intervals, its currency and its prices never change.

    `usage_interval` is null if its usage is billed with its own periods. `minimum_amount` is the
    least that the usage of a usage period costs, in minor units.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization_id = fields.UUIDField()
    name = fields.CharField(max_length=256)
    description = fields.CharField(max_length=1000, null=True)
    recurring_interval = fields.CharField(max_length=8)
    currency = fields.CharField(max_length=3)
    trial_days = fields.IntField(null=True)
    interval_count = fields.IntField(default=1, db_default=1)
    billing_periods = fields.CharField(max_length=16, default="FROM_START", db_default="FROM_START")
    usage_interval = fields.CharField(max_length=8, null=True)
    minimum_amount = fields.BigIntField(null=True)
    created_at = fields.DatetimeField()
    archived_at = fields.DatetimeField(null=True)

    class Meta:
        table = "product"
        indexes = (Index(fields=("organization_id", "id"), name="product_organization"),)


class ProductPrice(Model):
    """A price of a product, never changed. Amounts are in minor units.

    `kind` is FIXED, with `amount`, or METERED, with `meter_id`, `pricing` and `parameters`, which
    the class of the price scheme writes and reads. `conversion` is written and read by
    billing.rating.conversion.
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
    minimum_amount = fields.BigIntField(null=True)
    conversion = ExactJSONField(null=True)

    class Meta:
        table = "product_price"
        unique_together = (("organization_id", "product_id", "ordinal"),)
        indexes = (Index(fields=("organization_id", "meter_id"), name="product_price_meter"),)


class ProductBenefit(Model):
    """A benefit of a product. A change takes effect with each subscription's next period."""

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization_id = fields.UUIDField()
    product_id = fields.UUIDField()
    benefit_id = fields.UUIDField()
    ordinal = fields.IntField()

    class Meta:
        table = "product_benefit"
        unique_together = (("organization_id", "product_id", "benefit_id"),)
        indexes = (Index(fields=("organization_id", "benefit_id"), name="product_benefit_benefit"),)


class Benefit(Model):
    """A benefit, never changed.

    The class of its `kind` writes and reads `parameters`. `meter_id` is the meter that it concerns,
    if any.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization_id = fields.UUIDField()
    kind = fields.CharField(max_length=16)
    description = fields.CharField(max_length=1000)
    meter_id = fields.UUIDField(null=True)
    parameters = ExactJSONField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "benefit"
        indexes = (Index(fields=("organization_id", "meter_id"), name="benefit_meter"),)

"""What is sold: prices, and credits that come with it, for each period of a subscription."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.identifiers import new_id


class Product(Model):
    """Something to subscribe to. Its interval, its currency and its prices never change."""

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization_id = fields.UUIDField()
    name = fields.CharField(max_length=256)
    description = fields.CharField(max_length=1000, null=True)
    recurring_interval = fields.CharField(max_length=8)
    currency = fields.CharField(max_length=3)
    created_at = fields.DatetimeField()
    archived_at = fields.DatetimeField(null=True)

    class Meta:
        table = "product"
        indexes = (Index(fields=("organization_id", "id"), name="product_organization"),)

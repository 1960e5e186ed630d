"""Which benefits a product brings, in order."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.identifiers import new_id


class ProductBenefit(Model):
    """A benefit of a product. A change counts from each subscription's next period on."""

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization_id = fields.UUIDField()
    product_id = fields.UUIDField()
    benefit_id = fields.UUIDField()
    ordinal = fields.IntField()

    class Meta:
        table = "product_benefit"
        unique_together = (("organization_id", "product_id", "benefit_id"),)
        indexes = (Index(fields=("organization_id", "benefit_id"), name="product_benefit_benefit"),)

"""Units of a meter that a product brings with it every period."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.fields import NumericField
from models.identifiers import new_id


class MeterCreditBenefit(Model):
    """Credits `units` of a meter at every period's start; unused ones roll over, or do not."""

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization_id = fields.UUIDField()
    description = fields.CharField(max_length=1000)
    meter_id = fields.UUIDField()
    units = NumericField()
    rollover = fields.BooleanField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "meter_credit_benefit"
        indexes = (
            Index(fields=("organization_id", "meter_id"), name="meter_credit_benefit_meter"),
        )

"""What a customer has used of a meter in the current period, kept ready to be read."""

from decimal import Decimal

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.aggregation_state import AggregationState
from models.fields import NumericField
from models.identifiers import new_id


class CustomerMeter(AggregationState, Model):
    """Usage of a customer on a meter in the current period.

    The aggregate columns are those of UsageBucket (what was skipped is not kept), over
    [period_start, period_end): a subscription's period; the time since its end, where `period_end`
    is null; all time before the first one, where both are. `consumed` follows from them,
    `credited` from the credit ledger. `revision` is the log's revision at the last change.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization_id = fields.UUIDField()
    customer_id = fields.UUIDField()
    meter_id = fields.UUIDField()
    period_start = fields.DatetimeField(null=True)
    period_end = fields.DatetimeField(null=True)
    count = fields.BigIntField(default=0)
    unique_count = fields.BigIntField(default=0)
    consumed = NumericField(default=Decimal(0))
    credited = NumericField(default=Decimal(0))
    revision = fields.BigIntField(default=0)
    updated_at = fields.DatetimeField()

    class Meta:
        table = "customer_meter"
        unique_together = (("organization_id", "meter_id", "customer_id"),)
        indexes = (
            Index(
                fields=("organization_id", "customer_id", "meter_id"),
                name="customer_meter_customer",
            ),
            Index(fields=("organization_id", "revision"), name="customer_meter_revision"),
        )

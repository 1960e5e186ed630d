"""Usage alerts, and what triggered them."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.fields import NumericField
from models.identifiers import new_id
from models.usage import ALL_CUSTOMERS


class UsageAlert(Model):
    """A threshold for a number of one customer, or of each customer.

    `customer_id` is ALL_CUSTOMERS for an alert of each customer. `meter_id` is null for a `kind`
    that has no meter; such an alert has been decided up to the log's revision `decided`. A change
    of the alert makes that a negative number, another one each time. `currency` is that of an
    amount; null compares each currency by itself.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization_id = fields.UUIDField()
    name = fields.CharField(max_length=256)
    kind = fields.CharField(max_length=32)
    threshold = NumericField()
    currency = fields.CharField(max_length=3, null=True)
    meter_id = fields.UUIDField(null=True)
    customer_id = fields.UUIDField(default=ALL_CUSTOMERS)
    is_enabled = fields.BooleanField(default=True)
    decided = fields.BigIntField(default=-1)
    created_at = fields.DatetimeField(auto_now_add=True)

    class Meta:
        table = "usage_alert"
        indexes = (Index(fields=("organization_id", "meter_id", "id"), name="usage_alert_meter"),)


class AlertTrigger(Model):
    """An alert triggered for a customer in a period; at most once, as a unique index ensures.

    `period_start` is null before the first subscription. `value` is the number that reached the
    threshold, in minor units of `currency` if it is an amount. `revision` is the log's revision at
    which it did.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization_id = fields.UUIDField()
    alert_id = fields.UUIDField()
    customer_id = fields.UUIDField()
    period_start = fields.DatetimeField(null=True)
    value = NumericField()
    currency = fields.CharField(max_length=3, null=True)
    revision = fields.BigIntField()
    triggered_at = fields.DatetimeField()

    class Meta:
        table = "alert_trigger"
        indexes = (
            Index(fields=("organization_id", "revision", "id"), name="alert_trigger_revision"),
            Index(
                fields=("organization_id", "alert_id", "revision", "id"),
                name="alert_trigger_alert",
            ),
            Index(
                fields=("organization_id", "customer_id", "revision", "id"),
                name="alert_trigger_customer",
            ),
        )

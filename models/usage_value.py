"""The distinct values that a UNIQUE meter saw: of a bucket, and of a customer's current period."""

from tortoise import fields
from tortoise.models import Model


class UsageValue(Model):
    """Distinct values of a UNIQUE meter in 15 minutes.

    One row a (meter, customer, bucket, value), which is its primary key in the database, and one
    for ALL_CUSTOMERS; `value` is a hash of the typed value.
    """

    id = fields.BigIntField(primary_key=True, generated=True)
    organization_id = fields.UUIDField()
    meter_id = fields.UUIDField()
    customer_id = fields.UUIDField()
    bucket = fields.DatetimeField()
    value = fields.BinaryField()

    class Meta:
        table = "usage_value"


class CustomerMeterValue(Model):
    """Distinct values of a customer's current period on a UNIQUE meter.

    One row a (meter, customer, value), which is its primary key in the database: a value that is
    inserted here is new in the period, so that counting distinct values costs only the new events.
    """

    id = fields.BigIntField(primary_key=True, generated=True)
    organization_id = fields.UUIDField()
    meter_id = fields.UUIDField()
    customer_id = fields.UUIDField()
    value = fields.BinaryField()

    class Meta:
        table = "customer_meter_value"

"""The distinct values that a UNIQUE meter saw: of a bucket, and of a customer's current period."""

from tortoise import fields
from tortoise.models import Model


class UsageValue(Model):
    """Distinct values of a UNIQUE meter in 15 minutes.

    The key in the database is (organization, meter, customer, bucket, value), with rows for
    ALL_CUSTOMERS too. `value` is a hash of the typed value.
    """

    organization_id = fields.UUIDField()
    meter_id = fields.UUIDField()
    customer_id = fields.UUIDField()
    bucket = fields.DatetimeField()
    value = fields.BinaryField(primary_key=True)

    class Meta:
        table = "usage_value"


class CustomerMeterValue(Model):
    """Distinct values of a customer's current period on a UNIQUE meter.

    The key in the database is (organization, meter, customer, value). A value that is inserted is
    new in the period, so that counting distinct values reads only the new events.
    """

    organization_id = fields.UUIDField()
    meter_id = fields.UUIDField()
    customer_id = fields.UUIDField()
    value = fields.BinaryField(primary_key=True)

    class Meta:
        table = "customer_meter_value"

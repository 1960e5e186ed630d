"""What a meter counted of a customer in 15 minutes: every range is made of these."""

from uuid import UUID

from tortoise import fields
from tortoise.models import Model

from models.fields import NumericField

ALL_CUSTOMERS = UUID(int=0)
"""The customer_id of the rows that sum up all customers."""


class UsageBucket(Model):
    """Usage of a customer on a meter in 15 minutes.

    One row a (meter, customer, bucket), which is its primary key in the database (`id` serves the
    ORM only), and one for ALL_CUSTOMERS, so that usage of all customers costs no more to read than
    that of one; those lie in a partition of their own. `count` are the events with a value,
    `skipped` those without.
    """

    id = fields.BigIntField(primary_key=True, generated=True)
    organization_id = fields.UUIDField()
    meter_id = fields.UUIDField()
    customer_id = fields.UUIDField()
    bucket = fields.DatetimeField()
    count = fields.BigIntField()
    skipped = fields.BigIntField()
    sum = NumericField()
    minimum = NumericField(null=True)
    maximum = NumericField(null=True)
    latest_value = NumericField(null=True)
    latest_at = fields.DatetimeField(null=True)
    latest_event_id = fields.UUIDField(null=True)

    class Meta:
        table = "usage_bucket"

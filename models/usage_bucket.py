"""What a meter counted of a customer in 15 minutes: every range is made of these."""

from uuid import UUID

from tortoise import fields
from tortoise.models import Model

from models.aggregation_state import AggregationState

ALL_CUSTOMERS = UUID(int=0)
"""The customer_id of the rows that sum up all customers."""


class UsageBucket(AggregationState, Model):
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

    class Meta:
        table = "usage_bucket"

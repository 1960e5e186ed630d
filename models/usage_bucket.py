"""What a meter counted of a customer in 15 minutes: every range is made of these."""

from uuid import UUID

from tortoise import fields
from tortoise.models import Model

from models.aggregation_state import AggregationState

ALL_CUSTOMERS = UUID(int=0)
"""The customer_id of the rows that sum up all customers."""


class UsageBucket(AggregationState, Model):
    """Usage of a customer on a meter in 15 minutes.

    The key in the database is (organization, meter, customer, bucket). Rows of ALL_CUSTOMERS make
    usage of all customers as cheap to read as that of one; they have a partition of their own.
    `count` are the events with a value, `skipped` those without.
    """

    organization_id = fields.UUIDField()
    meter_id = fields.UUIDField()
    customer_id = fields.UUIDField()
    bucket = fields.DatetimeField(primary_key=True)
    count = fields.BigIntField()
    skipped = fields.BigIntField()

    class Meta:
        table = "usage_bucket"

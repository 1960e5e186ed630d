"""Usage by dimension: what meters have counted per hour and combination of values."""

from uuid import UUID

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model

from models.aggregation_state import AggregationState

OTHER = 0
"""The combination of everything that is in no combination of its own."""

QUARTER_DAYS = UUID("00000000-0000-0006-0000-000000000000")
"""In place of a customer: rows of ALL_CUSTOMERS that have six hours each, merged from their hours.

They begin at 0, 6, 12 and 18 o'clock in UTC, and have the combinations of ALL_CUSTOMERS.
"""


class DimensionCombination(Model):
    """A combination of values of a meter's dimensions that a customer used in a month.

    The key in the database is (organization, meter, customer, month, key). `month` is the first day
    of a month in UTC. `combination` numbers those of a customer and month from 1. `texts` are the
    values in the order of the meter's dimensions, null for a missing one; `key` is a hash of them.
    Rows of ALL_CUSTOMERS are numbered like those of a customer.
    """

    organization_id = fields.UUIDField()
    meter_id = fields.UUIDField()
    customer_id = fields.UUIDField()
    month = fields.DateField()
    key = fields.BinaryField(primary_key=True)
    combination = fields.SmallIntField()
    texts = ArrayField("text")

    class Meta:
        table = "dimension_combination"


class DimensionBucket(AggregationState, Model):
    """Usage of a customer on a meter in an hour, of one combination.

    The key in the database is (organization, meter, customer, bucket, combination). `combination`
    is a number of the customer and the bucket's month, or OTHER. Rows of ALL_CUSTOMERS have a
    partition of their own, as in UsageBucket, and so have those of QUARTER_DAYS.
    """

    organization_id = fields.UUIDField()
    meter_id = fields.UUIDField()
    customer_id = fields.UUIDField()
    bucket = fields.DatetimeField(primary_key=True)
    combination = fields.SmallIntField()
    count = fields.BigIntField()
    skipped = fields.BigIntField()

    class Meta:
        table = "dimension_bucket"


class DimensionValue(Model):
    """Distinct values of a UNIQUE meter in an hour, of one combination.

    The key in the database is (organization, meter, customer, bucket, combination, value).
    """

    organization_id = fields.UUIDField()
    meter_id = fields.UUIDField()
    customer_id = fields.UUIDField()
    bucket = fields.DatetimeField()
    combination = fields.SmallIntField()
    value = fields.BinaryField(primary_key=True)

    class Meta:
        table = "dimension_value"

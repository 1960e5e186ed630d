"""The columns in which the aggregations keep their state (`metering.language.aggregations`)."""

from decimal import Decimal

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField

from models.fields import NumericField


class AggregationState:
    """The state of every aggregation; a row fills the columns of its meter's aggregation."""

    sum = NumericField(default=Decimal(0))
    minimum = NumericField(null=True)
    maximum = NumericField(null=True)
    latest_value = NumericField(null=True)
    latest_at = fields.DatetimeField(null=True)
    latest_event_id = fields.UUIDField(null=True)
    first_at = fields.DatetimeField(null=True)
    value_seconds = NumericField(null=True)


class AggregationStates:
    """The same columns for many customers; null unless the aggregation uses them."""

    sum = ArrayField("numeric", null=True)
    minimum = ArrayField("numeric", null=True)
    maximum = ArrayField("numeric", null=True)
    latest_value = ArrayField("numeric", null=True)
    latest_at = ArrayField("timestamptz", null=True)
    latest_event_id = ArrayField("uuid", null=True)
    first_at = ArrayField("timestamptz", null=True)
    value_seconds = ArrayField("numeric", null=True)

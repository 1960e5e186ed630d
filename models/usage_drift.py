"""Cached usage that was not what the events say, as an audit found and repaired it."""

from tortoise import fields
from tortoise.models import Model

from models.fields import ExactJSONField, NumericField
from models.identifiers import new_id


class UsageDrift(Model):
    """A cached aggregate that was not the true one: each row was a bug, or a hand in the tables.

    Of a bucket, of everybody or of one customer, or, where `bucket` is null, of a customer's
    current period. `cached` and `recomputed` are its quantity before and after the repair;
    `differences` gives both for each column that differed.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization_id = fields.UUIDField()
    meter_id = fields.UUIDField()
    customer_id = fields.UUIDField()
    bucket = fields.DatetimeField(null=True)
    cached = NumericField(null=True)
    recomputed = NumericField(null=True)
    differences = ExactJSONField()
    found_at = fields.DatetimeField()

    class Meta:
        table = "usage_drift"

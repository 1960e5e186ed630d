"""The state of the rolling audit of cached usage, and its findings."""

from tortoise import fields
from tortoise.models import Model

from models.fields import ExactJSONField, NumericField
from models.identifiers import new_id


class UsageAudit(Model):
    """The progress of an organization's audit: the next customer, and the next instant.

    Customers go by id, ALL_CUSTOMERS first. `next_from` is null at a customer's beginning.
    `finished_at` is null while a round is under way.
    """

    organization_id = fields.UUIDField(primary_key=True)
    customer_id = fields.UUIDField()
    next_from = fields.DatetimeField(null=True)
    started_at = fields.DatetimeField()
    finished_at = fields.DatetimeField(null=True)

    class Meta:
        table = "usage_audit"


class UsageDrift(Model):
    """A cached aggregate that was wrong, because of a bug or a change by hand.

    It belongs to a bucket of one customer or of ALL_CUSTOMERS or, if `bucket` is null, to a
    customer's current period. `cached` and `recomputed` are its quantity before and after the
    repair; `differences` has both for each column that differed. `combination` says which one of
    usage by dimension it is.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization_id = fields.UUIDField()
    meter_id = fields.UUIDField()
    customer_id = fields.UUIDField()
    bucket = fields.DatetimeField(null=True)
    combination = fields.SmallIntField(null=True)
    cached = NumericField(null=True)
    recomputed = NumericField(null=True)
    differences = ExactJSONField()
    found_at = fields.DatetimeField()

    class Meta:
        table = "usage_drift"

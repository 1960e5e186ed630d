"""How far the rolling audit of an organization's cached usage has come."""

from tortoise import fields
from tortoise.models import Model


class UsageAudit(Model):
    """The audit of an organization: which customer is next, and from which instant on.

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

"""Customers, whose usage is metered and billed."""

from tortoise import fields
from tortoise.models import Model

from models.identifiers import new_id


class Customer(Model):
    """A customer, whose usage is metered and billed.

    `external_id` is the caller's own id, unique in the organization. A customer who was erased at
    `erased_at` has no external id, name and email.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization_id = fields.UUIDField()
    external_id = fields.CharField(max_length=256, null=True)
    name = fields.CharField(max_length=256, null=True)
    email = fields.CharField(max_length=320, null=True)
    created_at = fields.DatetimeField(auto_now_add=True)
    erased_at = fields.DatetimeField(null=True)

    class Meta:
        table = "customer"
        unique_together = (("organization_id", "external_id"),)

"""A tenant: everything else belongs to exactly one organization."""

from tortoise import fields
from tortoise.models import Model

from models.identifiers import new_id


class Organization(Model):
    """A tenant. `slug` names it on the command line."""

    id = fields.UUIDField(primary_key=True, default=new_id)
    name = fields.CharField(max_length=256)
    slug = fields.CharField(max_length=64, unique=True)
    created_at = fields.DatetimeField(auto_now_add=True)

    class Meta:
        table = "organization"

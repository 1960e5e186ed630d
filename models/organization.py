"""Organizations: the tenants, to which everything else belongs."""

from tortoise import fields
from tortoise.models import Model

from models.identifiers import new_id


class Organization(Model):
    """A tenant. `slug` names it on the command line.

    `display_name`, `address` and `logo_url` are for its customers; `timezone` is an IANA name.
    An invoice stays a draft for `invoice_grace_hours` after its period's end, and is due
    `payment_term_days` after it is issued; null says nothing of when it is due.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    name = fields.CharField(max_length=256)
    slug = fields.CharField(max_length=64, unique=True)
    timezone = fields.CharField(max_length=64, default="UTC", db_default="UTC")
    display_name = fields.CharField(max_length=256, null=True)
    address = fields.CharField(max_length=1000, null=True)
    logo_url = fields.CharField(max_length=2048, null=True)
    invoice_grace_hours = fields.IntField(default=0, db_default=0)
    payment_term_days = fields.IntField(null=True)
    created_at = fields.DatetimeField(auto_now_add=True)

    class Meta:
        table = "organization"

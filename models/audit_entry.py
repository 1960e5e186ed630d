"""The audit log: who changed what, and when. Triggers in the database keep its rows as they are."""

from tortoise import fields
from tortoise.models import Model

from models.fields import ExactJSONField
from models.identifiers import new_id


class AuditEntry(Model):
    """A change, written in the transaction that made it.

    `actor_kind` is TOKEN, BROWSER or COMMAND_LINE; `actor` is the token's name, or the account that
    ran the command. `action` is the mutation's name in the schema, or the command. `object_type` is
    a type of the API. `input` is without secrets, and cut if it was huge. It is also without the
    texts about a customer who was erased at `erased_at`.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization_id = fields.UUIDField()
    at = fields.DatetimeField()
    actor_kind = fields.CharField(max_length=16)
    actor = fields.CharField(max_length=256)
    token_id = fields.UUIDField(null=True)
    action = fields.CharField(max_length=100)
    object_type = fields.CharField(max_length=64, null=True)
    object_id = fields.UUIDField(null=True)
    input = ExactJSONField()
    erased_at = fields.DatetimeField(null=True)

    class Meta:
        table = "audit_entry"


class AuditEntryObject(Model):
    """An object that an entry is about: the changed one, or one that it belongs to.

    The primary key in the database is all columns, in the order of an object's history.
    """

    organization_id = fields.UUIDField()
    object_type = fields.CharField(max_length=64)
    object_id = fields.UUIDField()
    at = fields.DatetimeField()
    id = fields.UUIDField(primary_key=True)

    class Meta:
        table = "audit_entry_object"

"""A bearer token of an organization, with scopes. Only the hash of its secret is stored."""

from uuid import UUID

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model

from models.identifiers import new_id
from models.organization import Organization


class AccessToken(Model):
    """A bearer token of an organization.

    `scopes` holds names of the API's Scope enum; `secret_hash` is SHA-256.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization: fields.ForeignKeyRelation[Organization] = fields.ForeignKeyField(
        "models.Organization", related_name="access_tokens", db_index=True
    )
    organization_id: UUID
    name = fields.CharField(max_length=256)
    scopes = ArrayField("text")
    secret_hash = fields.BinaryField()
    created_at = fields.DatetimeField(auto_now_add=True)
    last_used_at = fields.DatetimeField(null=True)
    revoked_at = fields.DatetimeField(null=True)
    expires_at = fields.DatetimeField(null=True)

    class Meta:
        table = "access_token"

"""Tokens, customers' sessions and browsers' sessions. Only hashes of secrets are stored."""

from uuid import UUID

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.indexes import Index
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


class CustomerSession(Model):
    """A customer's short-lived token. Only the SHA-256 of the secret is stored.

    It ends with the token that opened it, `token_id`, which is null for old sessions.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization_id = fields.UUIDField()
    customer_id = fields.UUIDField()
    token_id = fields.UUIDField(null=True)
    secret_hash = fields.BinaryField()
    created_at = fields.DatetimeField(auto_now_add=True)
    expires_at = fields.DatetimeField(db_index=True)

    class Meta:
        table = "customer_session"
        indexes = (
            Index(fields=("organization_id", "customer_id"), name="customer_session_customer"),
        )


class BrowserSession(Model):
    """A browser that is signed in. Only the SHA-256 of the cookie's secret is stored.

    It acts for an access token (the dashboard) or for a customer's session (the portal), and ends
    with it.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization_id = fields.UUIDField()
    token_id = fields.UUIDField(null=True)
    customer_session_id = fields.UUIDField(null=True)
    secret_hash = fields.BinaryField()
    created_at = fields.DatetimeField(auto_now_add=True)
    expires_at = fields.DatetimeField(db_index=True)

    class Meta:
        table = "browser_session"
        indexes = (
            Index(fields=("token_id", "id"), name="browser_session_token"),
            Index(fields=("customer_session_id", "id"), name="browser_session_customer_session"),
        )

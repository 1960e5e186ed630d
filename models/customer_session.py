"""A short-lived token with which one customer sees its own usage."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.identifiers import new_id


class CustomerSession(Model):
    """A customer's short-lived token. Only the SHA-256 of the secret is stored.

    It ends with the token that opened it, `token_id`; null for sessions from before that was so.
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

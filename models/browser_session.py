"""A browser that is signed in, with a cookie, to the dashboard or the portal."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.identifiers import new_id


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

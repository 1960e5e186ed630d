"""Tokens that expire, and sessions that end with the token that opened them."""

from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0011_idempotency_keys")]

    initial = False

    operations = [
        ops.AddField("AccessToken", "expires_at", fields.DatetimeField(null=True)),
        ops.AddField("CustomerSession", "token_id", fields.UUIDField(null=True)),
        ops.AddIndex(
            "CustomerSession",
            Index(fields=("organization_id", "customer_id"), name="customer_session_customer"),
        ),
    ]

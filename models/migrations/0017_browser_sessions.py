"""Sessions of browsers, and the fields of an organization that its pages show."""

from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from models.identifiers import new_id


class Migration(migrations.Migration):
    dependencies = [("models", "0017_price_parameters")]

    initial = False

    operations = [
        ops.AddField(
            "Organization",
            "timezone",
            fields.CharField(max_length=64, default="UTC", db_default="UTC"),
        ),
        ops.AddField("Organization", "display_name", fields.CharField(max_length=256, null=True)),
        ops.AddField("Organization", "address", fields.CharField(max_length=1000, null=True)),
        ops.AddField("Organization", "logo_url", fields.CharField(max_length=2048, null=True)),
        ops.CreateModel(
            name="BrowserSession",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True),
                ),
                ("organization_id", fields.UUIDField()),
                ("token_id", fields.UUIDField(null=True)),
                ("customer_session_id", fields.UUIDField(null=True)),
                ("secret_hash", fields.BinaryField()),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=True)),
                (
                    "expires_at",
                    fields.DatetimeField(db_index=True, auto_now=False, auto_now_add=False),
                ),
            ],
            options={
                "table": "browser_session",
                "app": "models",
                "indexes": [
                    Index(fields=["token_id", "id"], name="browser_session_token"),
                    Index(
                        fields=["customer_session_id", "id"],
                        name="browser_session_customer_session",
                    ),
                ],
                "pk_attr": "id",
                "table_description": "A browser that is signed in.",
            },
            bases=["Model"],
        ),
        ops.RunSQL(
            [
                "CREATE UNIQUE INDEX browser_session_secret_hash ON browser_session (secret_hash)",
                "ALTER TABLE browser_session ADD CONSTRAINT browser_session_acts_for_one"
                " CHECK (num_nonnulls(token_id, customer_session_id) = 1)",
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
    ]

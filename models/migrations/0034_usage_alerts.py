"""Usage alerts, and what triggered them."""

from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from models.fields import NumericField
from models.identifiers import new_id
from models.usage import ALL_CUSTOMERS


class Migration(migrations.Migration):
    dependencies = [("models", "0026_webhook_bodies")]

    initial = False

    operations = [
        ops.CreateModel(
            name="AlertTrigger",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True),
                ),
                ("organization_id", fields.UUIDField()),
                ("alert_id", fields.UUIDField()),
                ("customer_id", fields.UUIDField()),
                (
                    "period_start",
                    fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
                ),
                ("value", NumericField(generated=False, null=False, unique=False)),
                ("revision", fields.BigIntField()),
                ("triggered_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "alert_trigger",
                "app": "models",
                "indexes": [
                    Index(
                        fields=["organization_id", "revision", "id"], name="alert_trigger_revision"
                    ),
                    Index(
                        fields=["organization_id", "alert_id", "revision", "id"],
                        name="alert_trigger_alert",
                    ),
                    Index(
                        fields=["organization_id", "customer_id", "revision", "id"],
                        name="alert_trigger_customer",
                    ),
                ],
                "pk_attr": "id",
                "table_description": "An alert triggered for a customer in a period; at most once, as a unique index ensures.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="UsageAlert",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True),
                ),
                ("organization_id", fields.UUIDField()),
                ("name", fields.CharField(max_length=256)),
                ("kind", fields.CharField(max_length=32)),
                ("threshold", NumericField(generated=False, null=False, unique=False)),
                ("meter_id", fields.UUIDField(null=True)),
                ("customer_id", fields.UUIDField(default=ALL_CUSTOMERS)),
                ("is_enabled", fields.BooleanField(default=True)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=True)),
            ],
            options={
                "table": "usage_alert",
                "app": "models",
                "indexes": [
                    Index(fields=["organization_id", "id"], name="usage_alert_organization"),
                    Index(fields=["organization_id", "meter_id", "id"], name="usage_alert_meter"),
                ],
                "pk_attr": "id",
                "table_description": "A threshold for a number of one customer, or of each customer.",
            },
            bases=["Model"],
        ),
        ops.RunSQL(
            [
                # Also where a customer has no period yet.
                "CREATE UNIQUE INDEX alert_trigger_once ON alert_trigger"
                " (organization_id, alert_id, customer_id, period_start) NULLS NOT DISTINCT",
                # Counting asks for these, and nothing else, with each step.
                "CREATE INDEX usage_alert_watches ON usage_alert"
                " (organization_id, meter_id, customer_id) WHERE is_enabled",
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
    ]

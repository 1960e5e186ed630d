"""The findings and the progress of the rolling audit of cached usage."""

from uuid import uuid4

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from models.fields import ExactJSONField, NumericField
from models.identifiers import new_id


class Migration(migrations.Migration):
    dependencies = [("models", "0003_uncounted_events")]

    initial = False

    operations = [
        ops.CreateModel(
            name="UsageAudit",
            fields=[
                (
                    "organization_id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                ("customer_id", fields.UUIDField()),
                ("next_from", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("started_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "finished_at",
                    fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
                ),
            ],
            options={
                "table": "usage_audit",
                "app": "models",
                "pk_attr": "organization_id",
                "table_description": "The audit of an organization: which customer is next, and from which instant on.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="UsageDrift",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True),
                ),
                ("organization_id", fields.UUIDField()),
                ("meter_id", fields.UUIDField()),
                ("customer_id", fields.UUIDField()),
                ("bucket", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("cached", NumericField(null=True, generated=False, unique=False)),
                ("recomputed", NumericField(null=True, generated=False, unique=False)),
                ("differences", ExactJSONField()),
                ("found_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "usage_drift",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A cached aggregate that was not the true one: each row was a bug, or a hand in the tables.",
            },
            bases=["Model"],
        ),
        ops.RunSQL(
            [
                (
                    "ALTER TABLE usage_drift DROP CONSTRAINT usage_drift_pkey,"
                    " ADD PRIMARY KEY (organization_id, id)"
                ),
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
    ]

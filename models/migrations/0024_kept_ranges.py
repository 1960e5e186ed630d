"""Keeps the usage of every customer in a range, for `metering.usage.kept_ranges`."""

from tortoise import fields, migrations
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0025_webhooks")]

    initial = False

    operations = [
        ops.AddField("Meter", "usage_version", fields.BigIntField(default=0, db_default=0)),
        ops.CreateModel(
            name="UsageRange",
            fields=[
                ("organization_id", fields.UUIDField()),
                ("meter_id", fields.UUIDField()),
                ("range_start", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "range_end",
                    fields.DatetimeField(
                        primary_key=True,
                        unique=True,
                        db_index=True,
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                ("usage_version", fields.BigIntField()),
                ("position", fields.BigIntField()),
                ("events", fields.BigIntField()),
                ("kept_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("customers", fields.IntField()),
                ("customer_ids", ArrayField(element_type="uuid", unique=False)),
                ("count", ArrayField(element_type="bigint", unique=False)),
                *(
                    (column, ArrayField(element_type=sql_type, null=True, unique=False))
                    for column, sql_type in (
                        ("sum", "numeric"),
                        ("minimum", "numeric"),
                        ("maximum", "numeric"),
                        ("latest_value", "numeric"),
                        ("latest_at", "timestamptz"),
                        ("latest_event_id", "uuid"),
                    )
                ),
            ],
            options={
                "table": "usage_range",
                "app": "models",
                "pk_attr": "range_end",
                "table_description": "Usage of every customer on a meter in a range.",
            },
            bases=["Model"],
        ),
        ops.RunSQL(
            [
                "ALTER TABLE usage_range DROP CONSTRAINT usage_range_pkey, ADD PRIMARY KEY"
                " (organization_id, meter_id, range_start, range_end)",
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
    ]

"""Keeps usage by dimension: combinations of values, and their usage per hour."""

from decimal import Decimal

from tortoise import fields, migrations
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.migrations import operations as ops

from models.fields import NumericField

_OWNER = (
    ("organization_id", fields.UUIDField()),
    ("meter_id", fields.UUIDField()),
    ("customer_id", fields.UUIDField()),
)
_EVERYBODY = "00000000-0000-0000-0000-000000000000"


class Migration(migrations.Migration):
    dependencies = [("models", "0035_estimated_alerts")]

    initial = False

    operations = [
        ops.AddField("Meter", "dimensions", ArrayField("text", default=list, db_default=[])),
        ops.AddField("Meter", "dimensions_position", fields.BigIntField(null=True)),
        ops.AddField("UsageDrift", "combination", fields.SmallIntField(null=True)),
        ops.CreateModel(
            name="DimensionCombination",
            fields=[
                *_OWNER,
                ("month", fields.DateField()),
                ("key", fields.BinaryField(primary_key=True)),
                ("combination", fields.SmallIntField()),
                ("texts", ArrayField(element_type="text", unique=False)),
            ],
            options={
                "table": "dimension_combination",
                "app": "models",
                "pk_attr": "key",
                "table_description": "Combinations of values that a customer used in a month.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="DimensionBucket",
            fields=[
                *_OWNER,
                (
                    "bucket",
                    fields.DatetimeField(primary_key=True, auto_now=False, auto_now_add=False),
                ),
                ("combination", fields.SmallIntField()),
                ("count", fields.BigIntField()),
                ("skipped", fields.BigIntField()),
                ("sum", NumericField(default=Decimal(0), null=False, unique=False)),
                ("minimum", NumericField(null=True, unique=False)),
                ("maximum", NumericField(null=True, unique=False)),
                ("latest_value", NumericField(null=True, unique=False)),
                ("latest_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("latest_event_id", fields.UUIDField(null=True)),
            ],
            options={
                "table": "dimension_bucket",
                "app": "models",
                "pk_attr": "bucket",
                "table_description": "Usage of a customer in an hour, by combination.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="DimensionValue",
            fields=[
                *_OWNER,
                ("bucket", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("combination", fields.SmallIntField()),
                ("value", fields.BinaryField(primary_key=True)),
            ],
            options={
                "table": "dimension_value",
                "app": "models",
                "pk_attr": "value",
                "table_description": "Distinct values in an hour, by combination.",
            },
            bases=["Model"],
        ),
        ops.RunSQL(
            [
                "ALTER TABLE dimension_combination DROP CONSTRAINT dimension_combination_pkey,"
                " ADD PRIMARY KEY (organization_id, meter_id, customer_id, month, key)",
                "ALTER TABLE dimension_value DROP CONSTRAINT dimension_value_pkey, ADD PRIMARY KEY"
                " (organization_id, meter_id, customer_id, bucket, combination, value)",
                # The rows of all customers are stored apart, as those of usage_bucket are.
                "ALTER TABLE dimension_bucket RENAME TO dimension_bucket_customer",
                "ALTER TABLE dimension_bucket_customer"
                " DROP CONSTRAINT dimension_bucket_pkey, ADD PRIMARY KEY"
                " (organization_id, meter_id, customer_id, bucket, combination)",
                """
                CREATE TABLE dimension_bucket (
                    LIKE dimension_bucket_customer INCLUDING DEFAULTS INCLUDING COMMENTS,
                    PRIMARY KEY (organization_id, meter_id, customer_id, bucket, combination)
                ) PARTITION BY LIST (customer_id)
                """,
                f"""
                CREATE TABLE dimension_bucket_everybody PARTITION OF dimension_bucket
                FOR VALUES IN ('{_EVERYBODY}') WITH (fillfactor = 50)
                """,
                "ALTER TABLE dimension_bucket ATTACH PARTITION dimension_bucket_customer DEFAULT",
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
    ]

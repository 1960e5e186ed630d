"""The state of TIME_WEIGHTED: since when there are values, and their integral over time."""

from tortoise import fields, migrations
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.migrations import operations as ops

from models.fields import NumericField

_TABLES = ("UsageBucket", "DimensionBucket", "CustomerMeter")


class Migration(migrations.Migration):
    dependencies = [("models", "0066_credit_grants")]

    initial = False

    # Columns without a default are added in an instant.
    operations = [
        *(
            ops.AddField(table, name, field)
            for table in _TABLES
            for name, field in (
                ("first_at", fields.DatetimeField(null=True)),
                ("value_seconds", NumericField(null=True)),
            )
        ),
        ops.AddField("UsageRange", "first_at", ArrayField("timestamptz", null=True)),
        ops.AddField("UsageRange", "value_seconds", ArrayField("numeric", null=True)),
    ]

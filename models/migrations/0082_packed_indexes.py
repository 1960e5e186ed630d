"""Remembers which indexes of past months are packed. The table is new, so nothing waits."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0076_voided_events")]

    initial = False

    operations = [
        ops.CreateModel(
            name="PackedIndex",
            fields=[
                (
                    "name",
                    fields.CharField(primary_key=True, unique=True, db_index=True, max_length=63),
                ),
                ("bytes", fields.BigIntField()),
                ("packed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "packed_index",
                "app": "models",
                "pk_attr": "name",
                "table_description": "An index of a month's events that was packed.",
            },
            bases=["Model"],
        ),
    ]

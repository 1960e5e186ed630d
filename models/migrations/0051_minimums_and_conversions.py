"""Prices have a minimum and a conversion of units, which invoice lines show."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from models.fields import ExactJSONField, NumericField


class Migration(migrations.Migration):
    dependencies = [("models", "0050_updates_without_indexes")]

    initial = False

    operations = [
        ops.AddField("ProductPrice", "minimum_amount", fields.BigIntField(null=True)),
        ops.AddField("ProductPrice", "conversion", ExactJSONField(null=True)),
        ops.AddField("InvoiceLine", "converted", NumericField(null=True)),
    ]

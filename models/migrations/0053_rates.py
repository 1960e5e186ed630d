"""Metered periods keep their usage and what was billed by rate; lines say which rate they charge."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from models.fields import ExactJSONField


class Migration(migrations.Migration):
    dependencies = [("models", "0052_discounts")]

    initial = False

    operations = [
        ops.AddField("MeteredPeriod", "rate_units", ExactJSONField(null=True)),
        ops.AddField("MeteredPeriod", "billed_rates", ExactJSONField(null=True)),
        ops.AddField("InvoiceLine", "rate", fields.SmallIntField(null=True)),
    ]

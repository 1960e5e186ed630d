"""Batches and what the outbox has know the spans that they come from."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0040_alert_currencies")]

    initial = False

    operations = [
        # Both are added in an instant, whatever the size of the table.
        ops.AddField("EventBatch", "traceparent", fields.CharField(max_length=55, null=True)),
        ops.AddField("OutboxEvent", "traceparent", fields.CharField(max_length=55, null=True)),
    ]

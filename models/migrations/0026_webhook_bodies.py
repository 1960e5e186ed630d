"""Bodies of webhooks are stored as they are sent."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0029_invoice_states")]

    initial = False

    operations = [
        # Nothing has been rendered before this migration.
        ops.RemoveField("OutboxEvent", "payload"),
        ops.AddField("OutboxEvent", "body", fields.TextField(null=True, unique=False)),
        ops.RunSQL(
            [
                "CREATE INDEX outbox_event_pending ON outbox_event (organization_id, sequence)"
                " WHERE body IS NULL",
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
    ]

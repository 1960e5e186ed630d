"""Positions from which an event counts after all, or from which a meter's definition holds."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0006_plans_of_new_tenants")]

    initial = False

    operations = [
        ops.AddField("UncountedEvent", "counted_from", fields.BigIntField(null=True)),
        ops.AddField("Meter", "defined_from", fields.BigIntField(null=True)),
        ops.RunSQL(
            [
                (
                    "CREATE INDEX uncounted_event_open ON uncounted_event"
                    " (organization_id, event_id) WHERE counted_from IS NULL"
                ),
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
    ]

"""Every key contains the organization, so that all tables can be distributed by it."""

from tortoise import migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0036_usage_periods"), ("models", "0049_usage_changes")]

    initial = False

    operations = [
        # The primary key has the same columns.
        ops.RemoveIndex("UsageAlert", name="usage_alert_organization"),
        ops.RunSQL(
            [
                *(
                    f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey,"
                    " ADD PRIMARY KEY (organization_id, id)"
                    for table in ("meter", "usage_alert", "alert_trigger", "audit_entry")
                ),
                # A trigger runs on a shard, where it cannot read another table. The statements
                # that change a subscription write its revision.
                "DROP TRIGGER customer_subscription_revision ON customer_subscription",
                "DROP FUNCTION stamp_revision()",
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
    ]

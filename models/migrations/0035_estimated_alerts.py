"""Alerts of estimated amounts: how far they are decided, and when subscriptions last changed."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0031_audit_log")]

    initial = False

    operations = [
        ops.AddField("UsageAlert", "decided", fields.BigIntField(default=-1, db_default=-1)),
        ops.AddField("AlertTrigger", "currency", fields.CharField(max_length=3, null=True)),
        ops.AddField(
            "CustomerSubscription", "revision", fields.BigIntField(default=0, db_default=0)
        ),
        ops.RunSQL(
            [
                # Whatever changes a subscription holds the log, and has taken a revision.
                """
                CREATE FUNCTION stamp_revision() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    NEW.revision := coalesce((
                        SELECT revision FROM event_log
                        WHERE organization_id = NEW.organization_id
                    ), 0);
                    RETURN NEW;
                END
                $$
                """,
                "CREATE TRIGGER customer_subscription_revision"
                " BEFORE INSERT OR UPDATE ON customer_subscription"
                " FOR EACH ROW EXECUTE FUNCTION stamp_revision()",
                "CREATE INDEX customer_subscription_revision ON customer_subscription"
                " (organization_id, revision)",
                "CREATE INDEX usage_alert_of_amounts ON usage_alert (organization_id, decided)"
                " WHERE is_enabled AND meter_id IS NULL",
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
    ]

"""Products whose usage is billed more often than their fixed prices."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

NAMES = ("usage_period_start", "usage_period_end")


class Migration(migrations.Migration):
    dependencies = [("models", "0032_calendar_periods"), ("models", "0040_alert_currencies")]

    initial = False

    operations = [
        ops.AddField("Product", "usage_interval", fields.CharField(max_length=8, null=True)),
        *(
            ops.AddField(
                "CustomerSubscription",
                name,
                fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
            )
            for name in (*NAMES, "usage_whole_start")
        ),
        ops.RunSQL(
            [
                """
                UPDATE customer_subscription
                SET usage_period_start = current_period_start,
                    usage_period_end = current_period_end, usage_whole_start = whole_start
                """,
                "DROP INDEX customer_subscription_due",
                "CREATE INDEX customer_subscription_due ON customer_subscription"
                " (usage_period_end) WHERE status <> 'CANCELED'",
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
        *(
            ops.AlterField(
                "CustomerSubscription",
                name,
                fields.DatetimeField(auto_now=False, auto_now_add=False),
            )
            for name in NAMES
        ),
    ]

"""Good query plans for tenants that the statistics do not know yet."""

from tortoise import migrations
from tortoise.migrations import operations as ops

# The hot tables with several indexes that begin with the organization.
_TABLES = (
    "credit_entry",
    "customer",
    "customer_meter",
    "customer_subscription",
    "event",
    "event_batch",
    "invoice",
    "metered_period",
    "subscription_period",
)


class Migration(migrations.Migration):
    dependencies = [("models", "0005_event_names")]

    initial = False

    operations = [
        # With statistics, the planner assumes one row for a value that it has not seen. Any index
        # that begins with the organization then looks as good as the right one, and counting a
        # batch of a new tenant read all its events. Without statistics, it assumes that an
        # organization has a two-hundredth of the table, and chooses the index that narrows it down.
        ops.RunSQL(
            [
                f"ALTER TABLE {table} ALTER COLUMN organization_id SET STATISTICS 0"
                for table in _TABLES
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
    ]

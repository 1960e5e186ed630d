"""Plans that are right for a tenant that the statistics do not know yet."""

from tortoise import migrations
from tortoise.migrations import operations as ops

# The hot tables that have several indexes which begin with the organization.
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
        # With statistics, the planner takes a value that it has not seen for one row, so that any
        # index that begins with the organization looks as good as the right one: each batch of a
        # new tenant was counted by going through all its events. Without, it takes an organization
        # for a two-hundredth of the table, and chooses the index that narrows it down.
        ops.RunSQL(
            [
                f"ALTER TABLE {table} ALTER COLUMN organization_id SET STATISTICS 0"
                for table in _TABLES
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
    ]

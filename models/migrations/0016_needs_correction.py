"""A metered period needs a correction if its rating differs from what was billed."""

from tortoise import migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0013_invoicing_problems")]

    initial = False

    operations = [
        ops.RenameField(
            model_name="MeteredPeriod", old_name="is_disputed", new_name="needs_correction"
        ),
        ops.RunSQL(
            [
                "ALTER INDEX metered_period_disputed RENAME TO metered_period_needs_correction",
                # A chunk of waiting periods has the oldest one of each of the next subscriptions.
                "DROP INDEX subscription_period_waiting",
                "CREATE INDEX subscription_period_waiting ON subscription_period"
                " (organization_id, subscription_id, period_index) WHERE invoiced_at IS NULL",
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
    ]

"""An index for the periods that a meter has since counted further."""

from tortoise import migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0021_lists_of_invoices")]

    initial = False

    operations = [
        ops.RunSQL(
            [
                "DROP INDEX metered_period_behind",
                "CREATE INDEX metered_period_behind ON metered_period"
                " (organization_id, meter_id, position) WHERE is_behind",
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
    ]

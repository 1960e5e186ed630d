"""Lets counting update rows without writing their indexes.

It drops an index, for which it waits for statements that read `customer_meter`, in an instant. This
is not part of the migration before, because nothing else may be locked meanwhile. No table is
rewritten: room appears on pages as their rows change.
"""

from tortoise import migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0047_timelines")]

    initial = False

    operations = [
        # An update that finds room on the row's page writes no index, if it changes no column of
        # one. All customer meters are updated time and again. A bucket is updated in its quarter of
        # an hour only: with a quarter of a page free, rows soon spread so that nearly all find
        # room. None of these locks out reading or writing.
        ops.RunSQL(
            [
                "ALTER TABLE usage_bucket_customer SET (fillfactor = 75)",
                "ALTER TABLE dimension_bucket_customer SET (fillfactor = 75)",
                "ALTER TABLE customer_meter SET (fillfactor = 50)",
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
        ops.RemoveIndex("CustomerMeter", "customer_meter_revision"),
    ]

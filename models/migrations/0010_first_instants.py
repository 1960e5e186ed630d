"""Corrects the first instant there is, which was stored as -infinity."""

from tortoise import migrations
from tortoise.migrations import operations as ops

# Columns that hold an event's instant or follow from one.
_COLUMNS = (
    ("billing_frontier", "late_from"),
    ("customer_meter", "latest_at"),
    ("event", "timestamp"),
    ("event_name_seen", "first_seen_at"),
    ("event_name_seen", "last_seen_at"),
    ("usage_audit", "next_from"),
    ("usage_bucket", "bucket"),
    ("usage_bucket", "latest_at"),
    ("usage_drift", "bucket"),
    ("usage_value", "bucket"),
)


class Migration(migrations.Migration):
    dependencies = [("models", "0009_everybody_apart")]

    initial = False

    operations = [
        # No datetime can be -infinity, so a page or a feed with one could not be read.
        ops.RunSQL(
            [
                f"UPDATE {table} SET {column} = '0001-01-01 00:00:00Z' WHERE {column} = '-infinity'"
                for table, column in _COLUMNS
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
    ]

"""Meters whose values carry over into the next period."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0045_event_months")]

    initial = False

    operations = [
        # Added in an instant, like any column with a constant default.
        ops.AddField("Meter", "carries_over", fields.BooleanField(default=False, db_default=False)),
    ]

"""Products whose periods are several intervals, or follow the calendar."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0027_lives_of_subscriptions")]

    initial = False

    operations = [
        ops.AddField(
            model_name="Product",
            name="interval_count",
            field=fields.IntField(default=1, db_default=1),
        ),
        ops.AddField(
            model_name="Product",
            name="billing_periods",
            field=fields.CharField(max_length=16, default="FROM_START", db_default="FROM_START"),
        ),
        ops.AddField(
            model_name="CustomerSubscription",
            name="whole_start",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
    ]

"""Products have a minimum, and subscriptions a discount; closed periods keep both."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from models.fields import ExactJSONField, NumericField


class Migration(migrations.Migration):
    dependencies = [("models", "0051_minimums_and_conversions")]

    initial = False

    operations = [
        ops.AddField("Product", "minimum_amount", fields.BigIntField(null=True)),
        ops.AddField("SubscriptionPeriod", "minimum_amount", fields.BigIntField(null=True)),
        ops.AddField("SubscriptionPeriod", "minimum_price_id", fields.UUIDField(null=True)),
        ops.AddField("SubscriptionPeriod", "minimum_billed", NumericField(null=True)),
        ops.AddField("SubscriptionPeriod", "discount", ExactJSONField(null=True)),
        ops.AddField("SubscriptionPeriod", "discount_billed", NumericField(null=True)),
        ops.AddField("CustomerSubscription", "discount", ExactJSONField(null=True)),
        ops.AddField("CustomerSubscription", "discount_periods", fields.IntField(null=True)),
        ops.AddField("CustomerSubscription", "paid_discount", ExactJSONField(null=True)),
    ]

"""Quantities, trials, scheduled starts and changes of subscriptions."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from models.fields import ExactJSONField, NumericField


class Migration(migrations.Migration):
    dependencies = [("models", "0030_balances")]

    initial = False

    operations = [
        ops.AddField(model_name="Product", name="trial_days", field=fields.IntField(null=True)),
        ops.AlterField(
            model_name="CustomerSubscription", name="status", field=fields.CharField(max_length=16)
        ),
        ops.AddField(
            model_name="CustomerSubscription",
            name="quantity",
            field=fields.IntField(default=1, db_default=1),
        ),
        ops.AddField(
            model_name="CustomerSubscription",
            name="trial_ends_at",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name="CustomerSubscription",
            name="trial_notice_at",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name="CustomerSubscription",
            name="anchor_at",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name="CustomerSubscription",
            name="pending_product_id",
            field=fields.UUIDField(null=True),
        ),
        ops.AddField(
            model_name="CustomerSubscription",
            name="pending_quantity",
            field=fields.IntField(null=True),
        ),
        ops.AddField(
            model_name="SubscriptionPeriod",
            name="charges",
            field=ExactJSONField(default=list, db_default=[], unique=False),
        ),
        ops.AddField(
            model_name="MeteredPeriod",
            name="is_trial",
            field=fields.BooleanField(default=False, db_default=False),
        ),
        *(
            ops.AddField(model_name="MeteredPeriod", name=name, field=fields.BigIntField(null=True))
            for name in ("share_numerator", "share_denominator")
        ),
        *(
            ops.AddField(
                model_name="MeteredPeriod",
                name=name,
                field=NumericField(null=True, generated=False, unique=False),
            )
            for name in ("granted_plain", "granted_rolling", "revocable_plain", "revocable_rolling")
        ),
        ops.RunSQL(
            [
                "UPDATE customer_subscription SET anchor_at = started_at",
                "DROP INDEX customer_subscription_due",
                "CREATE INDEX customer_subscription_due ON customer_subscription"
                " (current_period_end) WHERE status <> 'CANCELED'",
                "CREATE INDEX customer_subscription_trials ON customer_subscription"
                " (trial_notice_at) WHERE trial_notice_at IS NOT NULL",
                "CREATE INDEX customer_subscription_pending ON customer_subscription"
                " (organization_id, pending_product_id) WHERE pending_product_id IS NOT NULL",
                # Periods that wait for their invoices: what these charge in advance.
                """
                UPDATE subscription_period AS waiting
                SET charges = (
                    SELECT coalesce(jsonb_agg(jsonb_build_object(
                        'kind', 'FIXED',
                        'description', product.name,
                        'priceId', price.id,
                        'start', waiting.ends_at,
                        'end', coalesce(
                            (SELECT following.ends_at FROM subscription_period following
                             WHERE following.organization_id = waiting.organization_id
                               AND following.subscription_id = waiting.subscription_id
                               AND following.period_index = waiting.period_index + 1),
                            subscription.current_period_end
                        ),
                        'amount', price.amount
                    ) ORDER BY price.ordinal), '[]')
                    FROM product_price price
                    WHERE price.organization_id = subscription.organization_id
                      AND price.product_id = subscription.product_id AND price.kind = 'FIXED'
                )
                FROM customer_subscription subscription
                JOIN product
                    ON product.organization_id = subscription.organization_id
                   AND product.id = subscription.product_id
                WHERE waiting.organization_id = subscription.organization_id
                  AND waiting.subscription_id = subscription.id
                  AND waiting.invoiced_at IS NULL AND NOT waiting.is_last
                """,
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
        ops.AlterField(
            model_name="CustomerSubscription",
            name="anchor_at",
            field=fields.DatetimeField(auto_now=False, auto_now_add=False),
        ),
    ]

"""Why invoices of a subscription are not made."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0012_sessions_and_tokens")]

    initial = False

    operations = [
        ops.AddField(
            model_name="CustomerSubscription",
            name="invoicing_problem",
            field=fields.TextField(null=True, unique=False),
        ),
        ops.RunSQL(
            [
                "CREATE INDEX customer_subscription_withheld ON customer_subscription"
                " (organization_id) WHERE invoicing_problem IS NOT NULL",
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
    ]

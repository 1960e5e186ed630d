"""Stores a price scheme's parameters in one column, so that a new scheme needs no migration."""

from tortoise import migrations
from tortoise.migrations import operations as ops

from models.fields import ExactJSONField


class Migration(migrations.Migration):
    dependencies = [("models", "0016_needs_correction")]

    initial = False

    operations = [
        ops.AddField(
            model_name="ProductPrice",
            name="parameters",
            field=ExactJSONField(null=True, unique=False),
        ),
        ops.RunSQL(
            [
                """
                UPDATE product_price
                SET parameters = jsonb_strip_nulls(jsonb_build_object(
                    'unitAmount', unit_amount::text, 'packageAmount', package_amount,
                    'packageSize', package_size::text
                )) || CASE WHEN tiers IS NULL THEN '{}' ELSE jsonb_build_object('tiers', tiers) END
                WHERE kind = 'METERED'
                """,
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
        ops.RemoveField(model_name="ProductPrice", name="unit_amount"),
        ops.RemoveField(model_name="ProductPrice", name="tiers"),
        ops.RemoveField(model_name="ProductPrice", name="package_amount"),
        ops.RemoveField(model_name="ProductPrice", name="package_size"),
    ]

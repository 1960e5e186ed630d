"""Simulations of prices, and their results. Both tables are new."""

from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from models.fields import ExactJSONField, NumericField
from models.identifiers import new_id


class Migration(migrations.Migration):
    dependencies = [("models", "0079_pricing_steps")]

    initial = False

    operations = [
        ops.CreateModel(
            name="PriceSimulation",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True),
                ),
                ("organization_id", fields.UUIDField()),
                ("name", fields.CharField(null=True, max_length=256)),
                ("status", fields.CharField(max_length=8)),
                ("failure", fields.TextField(null=True, unique=False)),
                ("product_id", fields.UUIDField(null=True)),
                ("currency", fields.CharField(max_length=3)),
                ("starts_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("ends_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("recurring_interval", fields.CharField(max_length=8)),
                ("minimum_amount", fields.BigIntField(null=True)),
                ("prices", ExactJSONField()),
                ("benefits", ExactJSONField()),
                ("position", fields.BigIntField()),
                ("candidates", fields.BigIntField(null=True)),
                ("simulated", fields.BigIntField(default=0)),
                ("last_customer_id", fields.UUIDField(null=True)),
                ("total", NumericField(default=0)),
                ("current_total", NumericField(default=0)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "finished_at",
                    fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
                ),
                (
                    "expires_at",
                    fields.DatetimeField(db_index=True, auto_now=False, auto_now_add=False),
                ),
            ],
            options={
                "table": "price_simulation",
                "app": "models",
                "pk_attr": "id",
                "table_description": "Prices and benefits that do not exist, applied to the usage of a past range.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SimulatedCustomer",
            fields=[
                ("organization_id", fields.UUIDField()),
                ("simulation_id", fields.UUIDField()),
                ("customer_id", fields.UUIDField(primary_key=True, unique=True, db_index=True)),
                ("amount", fields.BigIntField()),
                ("current_amount", fields.BigIntField()),
                ("difference", fields.BigIntField()),
                ("lines", ExactJSONField()),
            ],
            options={
                "table": "simulated_customer",
                "app": "models",
                "indexes": [
                    Index(
                        fields=["organization_id", "simulation_id", "difference", "customer_id"],
                        name="simulated_customer_difference",
                    )
                ],
                "pk_attr": "customer_id",
                "table_description": "What a customer would have paid, and what it was billed. Amounts in minor units.",
            },
            bases=["Model"],
        ),
        ops.RunSQL(
            [
                "ALTER TABLE price_simulation DROP CONSTRAINT price_simulation_pkey,"
                " ADD PRIMARY KEY (organization_id, id)",
                "ALTER TABLE simulated_customer DROP CONSTRAINT simulated_customer_pkey,"
                " ADD PRIMARY KEY (organization_id, simulation_id, customer_id)",
                "CREATE INDEX price_simulation_running ON price_simulation (organization_id, id)"
                " WHERE status = 'RUNNING'",
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
    ]

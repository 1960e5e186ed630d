"""Adds the kind of a benefit, and one column for the parameters of its kind."""

from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from models.fields import ExactJSONField
from models.identifiers import new_id


class Migration(migrations.Migration):
    dependencies = [("models", "0019_natural_keys")]

    initial = False

    operations = [
        ops.CreateModel(
            name="Benefit",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True),
                ),
                ("organization_id", fields.UUIDField()),
                ("kind", fields.CharField(max_length=16)),
                ("description", fields.CharField(max_length=1000)),
                ("meter_id", fields.UUIDField(null=True)),
                ("parameters", ExactJSONField(unique=False)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "benefit",
                "app": "models",
                "indexes": [Index(fields=["organization_id", "meter_id"], name="benefit_meter")],
                "pk_attr": "id",
                "table_description": "A benefit, never changed.",
            },
            bases=["Model"],
        ),
        ops.RunSQL(
            [
                "ALTER TABLE benefit DROP CONSTRAINT benefit_pkey, ADD PRIMARY KEY (organization_id, id)",
                """
                INSERT INTO benefit (
                    organization_id, id, kind, description, meter_id, parameters, created_at
                )
                SELECT organization_id, id, 'METER_CREDIT', description, meter_id,
                       jsonb_build_object('units', units::text, 'rollover', rollover), created_at
                FROM meter_credit_benefit
                """,
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
        ops.DeleteModel(name="MeterCreditBenefit"),
    ]

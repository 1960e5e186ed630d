"""The keys of mutations that must run only once."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0010_first_instants")]

    initial = False

    operations = [
        ops.CreateModel(
            name="IdempotencyKey",
            fields=[
                (
                    "key",
                    fields.CharField(primary_key=True, max_length=255, unique=True, db_index=True),
                ),
                ("organization_id", fields.UUIDField()),
                ("mutation", fields.CharField(max_length=100)),
                ("input_hash", fields.BinaryField()),
                ("result", fields.CharField(max_length=200)),
                (
                    "created_at",
                    fields.DatetimeField(db_index=True, auto_now=False, auto_now_add=False),
                ),
            ],
            options={
                "table": "idempotency_key",
                "app": "models",
                "pk_attr": "key",
                "table_description": "A key that a mutation used. The primary key in the database is (organization_id, key).",
            },
            bases=["Model"],
        ),
        ops.RunSQL(
            [
                (
                    "ALTER TABLE idempotency_key DROP CONSTRAINT idempotency_key_pkey,"
                    " ADD PRIMARY KEY (organization_id, key)"
                ),
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
    ]

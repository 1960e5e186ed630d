"""Events that a meter could not count."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0002_billing")]

    initial = False

    operations = [
        ops.CreateModel(
            name="UncountedEvent",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                ("organization_id", fields.UUIDField()),
                ("meter_id", fields.UUIDField()),
                ("event_id", fields.UUIDField()),
                ("reason", fields.TextField(unique=False)),
                ("recorded_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "uncounted_event",
                "app": "models",
                "pk_attr": "id",
                "table_description": "An event that made counting fail, for one meter.",
            },
            bases=["Model"],
        ),
        ops.RunSQL(
            [
                (
                    "ALTER TABLE uncounted_event DROP CONSTRAINT uncounted_event_pkey,"
                    " ADD PRIMARY KEY (organization_id, meter_id, event_id)"
                ),
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
    ]

"""Events can be voided. The rows say which, why, and from which position of the log on.

The table of events stays as it is: a voided event has left its batch, whose number is negated.
"""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0080_price_simulations")]

    initial = False

    operations = [
        ops.CreateModel(
            name="EventVoid",
            fields=[
                ("organization_id", fields.UUIDField()),
                ("event_id", fields.UUIDField(primary_key=True, unique=True, db_index=True)),
                ("position", fields.BigIntField()),
                ("voided_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("reason", fields.TextField(unique=False)),
            ],
            options={
                "table": "event_void",
                "app": "models",
                "pk_attr": "event_id",
                "table_description": "That an event is voided: it counts nowhere from `position` of the log on.",
            },
            bases=["Model"],
        ),
        ops.RunSQL(
            [
                "ALTER TABLE event_void DROP CONSTRAINT event_void_pkey,"
                " ADD PRIMARY KEY (organization_id, event_id)",
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
    ]

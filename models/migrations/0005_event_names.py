"""The names that events have."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from models.fields import ExactJSONField


class Migration(migrations.Migration):
    dependencies = [("models", "0004_usage_audit")]

    initial = False

    operations = [
        ops.CreateModel(
            name="EventName",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                ("organization_id", fields.UUIDField()),
                ("name", fields.CharField(max_length=128)),
                ("occurrences", fields.BigIntField()),
                ("first_seen_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("last_seen_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("key_samples", ExactJSONField()),
            ],
            options={
                "table": "event_name_seen",
                "app": "models",
                "pk_attr": "id",
                "table_description": "How often and when events of a name happened.",
            },
            bases=["Model"],
        ),
        ops.RunSQL(
            [
                (
                    "ALTER TABLE event_name_seen DROP CONSTRAINT event_name_seen_pkey,"
                    " ADD PRIMARY KEY (organization_id, name)"
                ),
                # A row is rewritten by every step of the log; room on its page keeps that cheap.
                "ALTER TABLE event_name_seen SET (fillfactor = 50)",
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
    ]

"""Remembers which months are archived, and what is kept of them. Nothing is archived yet."""

from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from models.fields import ExactJSONField

# Stands in the way of events of a month that is being archived. The error is that of a month
# without a partition, so that ingestion looks at what is archived.
_REFUSE_EVENTS = """
CREATE FUNCTION refuse_events_of_archive() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'events of this month are being archived' USING ERRCODE = 'check_violation';
END
$$
"""

# Reads nothing, so that it can run on every node of a cluster. It is not inlined, because it raises.
_IS_STORED = """
CREATE FUNCTION is_stored(starts_at timestamptz, events_from timestamptz) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF starts_at < events_from THEN
        RAISE EXCEPTION 'Events from before % are archived.',
            to_char(events_from AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
            USING ERRCODE = 'MG001';
    END IF;
    RETURN true;
END
$$
"""

_EVENT_FIELDS = [
    ("organization_id", fields.UUIDField()),
    ("batch_id", fields.BigIntField()),
    ("customer_id", fields.UUIDField()),
    ("name", fields.CharField(max_length=128)),
    ("external_id", fields.CharField(null=True, max_length=256)),
    ("timestamp", fields.DatetimeField(auto_now=False, auto_now_add=False)),
    ("metadata", ExactJSONField()),
]


class Migration(migrations.Migration):
    dependencies = [("models", "0063_erasures")]

    initial = False

    operations = [
        ops.CreateModel(
            name="ArchivedMonth",
            fields=[
                (
                    "name",
                    fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32),
                ),
                ("id", fields.UUIDField(unique=True)),
                ("partition", fields.CharField(max_length=63)),
                ("starts_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("ends_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("directory", fields.TextField(unique=False)),
                ("events", fields.BigIntField(default=0)),
                ("bytes", fields.BigIntField(default=0)),
                ("began_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "archived_at",
                    fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
                ),
                ("dropped_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "archived_month",
                "app": "models",
                "pk_attr": "name",
                "table_description": (
                    "A month whose events were written to files, or are being written."
                ),
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ArchivedEvents",
            fields=[
                ("organization_id", fields.UUIDField()),
                (
                    "month",
                    fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32),
                ),
                ("events", fields.BigIntField()),
                ("last_position", fields.BigIntField()),
            ],
            options={
                "table": "archived_events",
                "app": "models",
                "pk_attr": "month",
                "table_description": (
                    "How many events an organization has in an archived month, and the last "
                    "position of one."
                ),
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="KeptEdge",
            fields=[
                ("organization_id", fields.UUIDField()),
                ("customer_id", fields.UUIDField(primary_key=True, unique=True, db_index=True)),
                ("starts_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("ends_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "kept_edge",
                "app": "models",
                "pk_attr": "customer_id",
                "table_description": (
                    "A piece of archived time in which a period begins, so that the customer's "
                    "events are kept."
                ),
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="KeptEvent",
            fields=[
                ("id", fields.UUIDField(primary_key=True, unique=True, db_index=True)),
                *_EVENT_FIELDS,
            ],
            options={
                "table": "kept_event",
                "app": "models",
                "indexes": [
                    Index(
                        fields=["organization_id", "customer_id", "timestamp"],
                        name="kept_event_customer",
                    ),
                ],
                "pk_attr": "id",
                "table_description": (
                    "An archived event that is kept, because it happened in a kept edge."
                ),
            },
            bases=["Model"],
        ),
        ops.RunSQL(
            [
                "ALTER TABLE archived_events DROP CONSTRAINT archived_events_pkey,"
                " ADD PRIMARY KEY (organization_id, month)",
                "ALTER TABLE kept_edge DROP CONSTRAINT kept_edge_pkey,"
                " ADD PRIMARY KEY (organization_id, customer_id, starts_at)",
                "ALTER TABLE kept_event DROP CONSTRAINT kept_event_pkey,"
                " ADD PRIMARY KEY (organization_id, id)",
                _REFUSE_EVENTS,
                _IS_STORED,
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
        ops.AddField("Meter", "complete_from", fields.DatetimeField(null=True)),
        ops.AddField("Meter", "dimensions_complete_from", fields.DatetimeField(null=True)),
    ]

"""Keeps external ids in a table of their own, so that events can be partitioned by month."""

from datetime import UTC, datetime

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

# Batches that are stored already may have events of any time.
_FIRST = datetime(1, 1, 1, tzinfo=UTC)
_LAST = datetime(9999, 12, 31, tzinfo=UTC)

# An id of up to 30 bytes is its own key. The key of a longer one is its beginning, which keeps ids
# that grow in order, and 128 bits of its hash.
_FUNCTION = """
CREATE FUNCTION external_id_key(external_id text) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN octet_length(external_id) <= 30 THEN convert_to(external_id, 'UTF8')
        ELSE substring(convert_to(external_id, 'UTF8') FOR 15)
            || substring(sha256(convert_to(external_id, 'UTF8')) FOR 16)
    END
$$
"""


class Migration(migrations.Migration):
    dependencies = [("models", "0053_rates")]

    initial = False

    operations = [
        ops.CreateModel(
            name="EventKey",
            fields=[
                ("organization_id", fields.UUIDField()),
                ("event_id", fields.UUIDField()),
                ("timestamp", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("key", fields.BinaryField(primary_key=True)),
            ],
            options={
                "table": "event_key",
                "app": "models",
                "pk_attr": "key",
                "table_description": "The external ids of events.",
            },
            bases=["Model"],
        ),
        ops.RunSQL(
            [
                "ALTER TABLE event_key DROP CONSTRAINT event_key_pkey,"
                " ADD PRIMARY KEY (organization_id, key)",
                # Ids grow in the order of storing, so this small index finds the oldest keys.
                "CREATE INDEX event_key_age ON event_key USING brin (event_id)",
                "ALTER TABLE event_key ALTER COLUMN organization_id SET STATISTICS 0",
                _FUNCTION,
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
        ops.AddField("EventBatch", "first_at", fields.DatetimeField(db_default=_FIRST)),
        ops.AddField("EventBatch", "last_at", fields.DatetimeField(db_default=_LAST)),
    ]

"""Notes changes of customer meters apart.

It locks `event_log`, and then `customer_meter` against changes, while it reads all of the latter:
some seconds for a million rows. Meanwhile events are stored, and everything that counts or reads
how far something is counted waits. After a kill nothing has changed; it starts over.
"""

from tortoise import fields, migrations
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0056_traceparents")]

    initial = False

    operations = [
        ops.CreateModel(
            name="UsageChange",
            fields=[
                ("organization_id", fields.UUIDField()),
                ("revision", fields.BigIntField()),
                ("first_id", fields.UUIDField(primary_key=True, unique=True, db_index=True)),
                ("last_id", fields.UUIDField()),
                ("ids", ArrayField(element_type="uuid", unique=False)),
            ],
            options={
                "table": "usage_change",
                "app": "models",
                "pk_attr": "first_id",
                "table_description": "Customer meters that a revision of the log changed.",
            },
            bases=["Model"],
        ),
        ops.AddField("EventLog", "changes", fields.BigIntField(default=0, db_default=0)),
        ops.AddField("EventLog", "current_changes", fields.BigIntField(default=0, db_default=0)),
        ops.RunSQL(
            [
                "ALTER TABLE usage_change DROP CONSTRAINT usage_change_pkey, ADD PRIMARY KEY"
                " (organization_id, revision, first_id)",
                "LOCK TABLE customer_meter IN SHARE MODE",
                """
                INSERT INTO usage_change (organization_id, revision, first_id, last_id, ids)
                SELECT organization_id, revision, ids[1], ids[cardinality(ids)], ids
                FROM (
                    SELECT organization_id, revision, array_agg(id ORDER BY id) AS ids
                    FROM (
                        SELECT organization_id, revision, id, (row_number() OVER (
                            PARTITION BY organization_id, revision ORDER BY id
                        ) - 1) / 100 AS chunk
                        FROM customer_meter
                    ) AS numbered
                    GROUP BY organization_id, revision, chunk
                ) AS chunked
                """,
                """
                UPDATE event_log SET changes = noted.changes, current_changes = noted.changes
                FROM (
                    SELECT organization_id, count(*) AS changes FROM customer_meter
                    GROUP BY organization_id
                ) AS noted
                WHERE event_log.organization_id = noted.organization_id
                """,
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
    ]

"""Tells cursors that a restore has undone from those that are still good."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0041_keys_with_organizations")]

    initial = False

    operations = [
        ops.CreateModel(
            name="LogTimeline",
            fields=[
                (
                    "number",
                    fields.IntField(primary_key=True, generated=False, unique=True, db_index=True),
                ),
                ("id", fields.UUIDField(unique=True)),
                ("place", fields.TextField(null=True, unique=False)),
                ("began_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "log_timeline",
                "app": "models",
                "pk_attr": "number",
                "table_description": "A history of the database.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="LogFork",
            fields=[
                ("organization_id", fields.UUIDField()),
                (
                    "timeline",
                    fields.IntField(primary_key=True, generated=False, unique=True, db_index=True),
                ),
                ("head", fields.BigIntField()),
                ("revision", fields.BigIntField()),
            ],
            options={
                "table": "log_fork",
                "app": "models",
                "pk_attr": "timeline",
                "table_description": "How far an organization's log had come when a timeline began.",
            },
            bases=["Model"],
        ),
        ops.RunSQL(
            [
                "ALTER TABLE log_fork DROP CONSTRAINT log_fork_pkey,"
                " ADD PRIMARY KEY (organization_id, timeline)",
                "INSERT INTO log_timeline (number, id, began_at)"
                " VALUES (1, gen_random_uuid(), statement_timestamp())",
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
    ]

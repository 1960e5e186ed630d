"""The audit log, which only takes new rows."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from models.fields import ExactJSONField
from models.identifiers import new_id

_APPEND_ONLY = """
CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_audit_log()
"""


class Migration(migrations.Migration):
    dependencies = [("models", "0034_usage_alerts")]

    initial = False

    operations = [
        ops.CreateModel(
            name="AuditEntry",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True),
                ),
                ("organization_id", fields.UUIDField()),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("actor_kind", fields.CharField(max_length=16)),
                ("actor", fields.CharField(max_length=256)),
                ("token_id", fields.UUIDField(null=True)),
                ("action", fields.CharField(max_length=100)),
                ("object_type", fields.CharField(null=True, max_length=64)),
                ("object_id", fields.UUIDField(null=True)),
                ("input", ExactJSONField()),
            ],
            options={
                "table": "audit_entry",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A change, written in the transaction that made it.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="AuditEntryObject",
            fields=[
                ("organization_id", fields.UUIDField()),
                ("object_type", fields.CharField(max_length=64)),
                ("object_id", fields.UUIDField()),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("id", fields.UUIDField(primary_key=True, unique=True, db_index=True)),
            ],
            options={
                "table": "audit_entry_object",
                "app": "models",
                "pk_attr": "id",
                "table_description": "An object that an entry is about: the changed one, or one that it belongs to.",
            },
            bases=["Model"],
        ),
        ops.RunSQL(
            [
                "CREATE INDEX audit_entry_latest ON audit_entry (organization_id, at, id)",
                "ALTER TABLE audit_entry_object DROP CONSTRAINT audit_entry_object_pkey,"
                " ADD PRIMARY KEY (organization_id, object_type, object_id, at, id)",
                """
                CREATE FUNCTION refuse_change_of_audit_log() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    RAISE EXCEPTION 'the audit log only takes new entries: % of % is refused',
                        TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
                END $$
                """,
                _APPEND_ONLY.format(table="audit_entry"),
                _APPEND_ONLY.format(table="audit_entry_object"),
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
    ]

"""Customers can be erased, with the texts about them in the audit log.

The index of the outbox takes a second for a million webhooks of the last 30 days. What publishes
something waits meanwhile. The rest is done in an instant, whatever the size of the tables.
"""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

# An entry says that texts were erased from it, and when. Everything else about it stays.
_ERASABLE = """
CREATE FUNCTION refuse_change_of_audit_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.erased_at IS NULL OR NEW.erased_at IS NOT DISTINCT FROM OLD.erased_at
        OR to_jsonb(NEW) - 'input' - 'erased_at' <> to_jsonb(OLD) - 'input' - 'erased_at'
    THEN
        RAISE EXCEPTION 'the audit log only takes new entries: % of % is refused',
            TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("models", "0054_customer_words")]

    initial = False

    operations = [
        ops.CreateModel(
            name="CustomerErasure",
            fields=[
                ("organization_id", fields.UUIDField()),
                ("customer_id", fields.UUIDField(primary_key=True, unique=True, db_index=True)),
                ("erased_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("next_from", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("erased_events", fields.BigIntField(default=0)),
                (
                    "finished_at",
                    fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
                ),
            ],
            options={
                "table": "customer_erasure",
                "app": "models",
                "pk_attr": "customer_id",
                "table_description": "A customer who was erased, and how far the metadata of its events is.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ErasedCount",
            fields=[
                ("organization_id", fields.UUIDField()),
                (
                    "definition",
                    fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64),
                ),
                ("events", fields.BigIntField()),
            ],
            options={
                "table": "erased_count",
                "app": "models",
                "pk_attr": "definition",
                "table_description": "How many events of an organization were erased while meters had a definition.",
            },
            bases=["Model"],
        ),
        ops.AddField(
            "Customer",
            "erased_at",
            fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            "AuditEntry",
            "erased_at",
            fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField("EventLog", "erased_customers", fields.BigIntField(default=0, db_default=0)),
        ops.RunSQL(
            [
                "ALTER TABLE customer_erasure DROP CONSTRAINT customer_erasure_pkey,"
                " ADD PRIMARY KEY (organization_id, customer_id)",
                "CREATE INDEX customer_erasure_unfinished ON customer_erasure"
                " (organization_id, customer_id) WHERE next_from IS NOT NULL",
                "ALTER TABLE erased_count DROP CONSTRAINT erased_count_pkey,"
                " ADD PRIMARY KEY (organization_id, definition)",
                "CREATE INDEX outbox_event_object ON outbox_event (organization_id, object_id)",
                _ERASABLE,
                "DROP TRIGGER audit_entry_append_only ON audit_entry",
                "CREATE TRIGGER audit_entry_append_only BEFORE DELETE OR TRUNCATE ON audit_entry"
                " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_audit_log()",
                "CREATE TRIGGER audit_entry_erasable BEFORE UPDATE ON audit_entry"
                " FOR EACH ROW EXECUTE FUNCTION refuse_change_of_audit_entry()",
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
    ]

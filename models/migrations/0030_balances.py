"""Credit notes, and balances of customers that their next invoices use up."""

from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from models.fields import NumericField
from models.identifiers import new_id

_UNCHANGING = """
CREATE TRIGGER {table}_never_changes BEFORE UPDATE OR DELETE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_invoices()
"""


class Migration(migrations.Migration):
    dependencies = [("models", "0035_estimated_alerts")]

    initial = False

    operations = [
        ops.AddField("Invoice", "balance_used", NumericField(default=0, db_default=0)),
        ops.CreateModel(
            name="CreditNote",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True),
                ),
                ("organization_id", fields.UUIDField()),
                ("sequence", fields.BigIntField()),
                ("invoice_id", fields.UUIDField()),
                ("customer_id", fields.UUIDField()),
                ("currency", fields.CharField(max_length=3)),
                ("amount", NumericField()),
                ("reason", fields.CharField(max_length=1000)),
                ("refunded", fields.BooleanField()),
                ("issued_at", fields.DatetimeField()),
            ],
            options={
                "table": "credit_note",
                "app": "models",
                "unique_together": (("organization_id", "sequence"),),
                "indexes": [
                    Index(fields=["organization_id", "invoice_id"], name="credit_note_invoice"),
                    Index(fields=["organization_id", "issued_at"], name="credit_note_issued"),
                ],
                "pk_attr": "id",
                "table_description": "An amount taken off an issued invoice, never changed.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="CreditNoteCounter",
            fields=[
                (
                    "organization_id",
                    fields.UUIDField(primary_key=True, unique=True, db_index=True),
                ),
                ("last_sequence", fields.BigIntField()),
            ],
            options={
                "table": "credit_note_counter",
                "app": "models",
                "pk_attr": "organization_id",
                "table_description": "The last number given to a credit note of an organization.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="BalanceEntry",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True),
                ),
                ("organization_id", fields.UUIDField()),
                ("customer_id", fields.UUIDField()),
                ("currency", fields.CharField(max_length=3)),
                ("amount", NumericField()),
                ("invoice_id", fields.UUIDField(null=True)),
                ("credit_note_id", fields.UUIDField(null=True)),
                ("created_at", fields.DatetimeField()),
            ],
            options={
                "table": "balance_entry",
                "app": "models",
                "indexes": [
                    Index(
                        fields=["organization_id", "customer_id", "currency"],
                        name="balance_entry_customer",
                    )
                ],
                "pk_attr": "id",
                "table_description": "A signed line of a customer's balance in a currency.",
            },
            bases=["Model"],
        ),
        # All keys begin with the organization, so that the tables can be distributed by it.
        ops.RunSQL(
            [
                "ALTER TABLE credit_note DROP CONSTRAINT credit_note_pkey,"
                " ADD PRIMARY KEY (organization_id, id)",
                "ALTER TABLE balance_entry DROP CONSTRAINT balance_entry_pkey,"
                " ADD PRIMARY KEY (organization_id, id)",
                """
                CREATE FUNCTION refuse_change_of_invoices() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    RAISE EXCEPTION 'what is on an invoice never changes: % of % is refused',
                        TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
                END $$
                """,
                _UNCHANGING.format(table="invoice_line"),
                _UNCHANGING.format(table="credit_note"),
                _UNCHANGING.format(table="balance_entry"),
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
    ]

"""Invoices have a status: drafts during a grace, and issued ones that are paid or voided."""

from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from models.fields import NumericField


class Migration(migrations.Migration):
    dependencies = [("models", "0024_kept_ranges")]

    initial = False

    operations = [
        ops.AddField(
            "Organization", "invoice_grace_hours", fields.IntField(default=0, db_default=0)
        ),
        ops.AddField("Organization", "payment_term_days", fields.IntField(null=True)),
        ops.AddField(
            "Invoice",
            "status",
            fields.CharField(max_length=8, default="ISSUED", db_default="ISSUED"),
        ),
        ops.AlterField("Invoice", "sequence", fields.BigIntField(null=True)),
        ops.AlterField("Invoice", "total", NumericField(null=True)),
        ops.AlterField("Invoice", "position", fields.BigIntField(null=True)),
        ops.AddField("Invoice", "due_at", fields.DatetimeField(null=True)),
        ops.AddField("Invoice", "paid_at", fields.DatetimeField(null=True)),
        ops.AddField("Invoice", "payment_reference", fields.CharField(max_length=1000, null=True)),
        ops.AddField("Invoice", "voided_at", fields.DatetimeField(null=True)),
        ops.AddField("Invoice", "void_reason", fields.CharField(max_length=1000, null=True)),
        ops.AddField(
            "Invoice", "is_written_off", fields.BooleanField(default=False, db_default=False)
        ),
        ops.AddField(
            "Invoice", "needs_rebilling", fields.BooleanField(default=False, db_default=False)
        ),
        ops.AddIndex(
            "Invoice",
            Index(fields=["organization_id", "status", "issued_at", "id"], name="invoice_status"),
        ),
        ops.AddField("SubscriptionPeriod", "draft_until", fields.DatetimeField(null=True)),
        ops.RunSQL(
            [
                "ALTER TABLE invoice ADD CONSTRAINT invoice_is_numbered_once_issued CHECK"
                " ((status = 'DRAFT') = (sequence IS NULL)"
                " AND (status = 'DRAFT') = (total IS NULL)"
                " AND (status = 'DRAFT') = (position IS NULL))",
                "CREATE INDEX invoice_rebilling ON invoice (organization_id, subscription_id)"
                " WHERE needs_rebilling",
                "CREATE INDEX invoice_voided ON invoice (organization_id, voided_at)"
                " WHERE voided_at IS NOT NULL",
                "CREATE INDEX invoice_line_period ON invoice_line"
                " (organization_id, metered_period_id) WHERE metered_period_id IS NOT NULL",
                # Drafts wait for their time, and not for events to be counted.
                "DROP INDEX subscription_period_waiting",
                "CREATE INDEX subscription_period_waiting ON subscription_period"
                " (organization_id, subscription_id, period_index)"
                " WHERE invoiced_at IS NULL AND draft_until IS NULL",
                "CREATE INDEX subscription_period_drafts ON subscription_period (draft_until)"
                " WHERE draft_until IS NOT NULL",
                "CREATE INDEX subscription_period_drafted ON subscription_period"
                " (organization_id, subscription_id, period_index) WHERE draft_until IS NOT NULL",
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
    ]

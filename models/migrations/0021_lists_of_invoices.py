"""Indexes for invoices in the order of issuing, and for subscriptions by product."""

from tortoise import migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0020_benefit_kinds")]

    initial = False

    operations = [
        ops.AddIndex(
            "Invoice", Index(fields=["organization_id", "issued_at", "id"], name="invoice_issued")
        ),
        ops.AddIndex(
            "CustomerSubscription",
            Index(
                fields=["organization_id", "current_period_end"], name="customer_subscription_ends"
            ),
        ),
    ]

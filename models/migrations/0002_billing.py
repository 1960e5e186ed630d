"""The tables of billing: products, subscriptions, periods, credits, invoices."""

from uuid import uuid4

from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from models.fields import ExactJSONField, NumericField
from models.identifiers import new_id


class Migration(migrations.Migration):
    dependencies = [("models", "0001_initial")]

    initial = False

    operations = [
        ops.CreateModel(
            name="BillingFrontier",
            fields=[
                ("organization_id", fields.UUIDField()),
                (
                    "customer_id",
                    fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True),
                ),
                ("closed_through", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("late_from", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "billing_frontier",
                "app": "models",
                "pk_attr": "customer_id",
                "table_description": "A customer's closed time ends at `closed_through`; an event from before that is late.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="CreditEntry",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True),
                ),
                ("organization_id", fields.UUIDField()),
                ("customer_id", fields.UUIDField()),
                ("meter_id", fields.UUIDField()),
                ("metered_period_id", fields.UUIDField()),
                ("kind", fields.CharField(max_length=16)),
                ("units", NumericField(generated=False, null=False, unique=False)),
                ("is_rolling", fields.BooleanField()),
                ("benefit_id", fields.UUIDField(null=True)),
                ("reason", fields.CharField(null=True, max_length=1000)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "credit_entry",
                "app": "models",
                "indexes": [
                    Index(
                        fields=["organization_id", "customer_id", "meter_id", "id"],
                        name="credit_entry_customer_meter",
                    ),
                    Index(
                        fields=["organization_id", "metered_period_id"], name="credit_entry_period"
                    ),
                ],
                "pk_attr": "id",
                "table_description": "A signed line of a customer's ledger on a meter, never changed.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="CustomerSubscription",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True),
                ),
                ("organization_id", fields.UUIDField()),
                ("customer_id", fields.UUIDField()),
                ("product_id", fields.UUIDField()),
                ("status", fields.CharField(max_length=8)),
                ("started_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("period_index", fields.IntField()),
                ("current_period_start", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("current_period_end", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("cancel_at_period_end", fields.BooleanField(default=False)),
                ("ended_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                (
                    "corrections_due_at",
                    fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
                ),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "customer_subscription",
                "app": "models",
                "indexes": [
                    Index(
                        fields=["organization_id", "status", "id"],
                        name="customer_subscription_status",
                    ),
                    Index(
                        fields=["organization_id", "customer_id", "id"],
                        name="customer_subscription_customer",
                    ),
                    Index(
                        fields=["organization_id", "product_id", "status"],
                        name="customer_subscription_product",
                    ),
                ],
                "pk_attr": "id",
                "table_description": "A customer's subscription to a product.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Invoice",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True),
                ),
                ("organization_id", fields.UUIDField()),
                ("sequence", fields.BigIntField()),
                ("customer_id", fields.UUIDField()),
                ("subscription_id", fields.UUIDField()),
                ("currency", fields.CharField(max_length=3)),
                ("total", NumericField(generated=False, null=False, unique=False)),
                ("position", fields.BigIntField()),
                ("issued_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "invoice",
                "app": "models",
                "unique_together": (("organization_id", "sequence"),),
                "indexes": [
                    Index(fields=["organization_id", "customer_id", "id"], name="invoice_customer"),
                    Index(
                        fields=["organization_id", "subscription_id", "id"],
                        name="invoice_subscription",
                    ),
                ],
                "pk_attr": "id",
                "table_description": "A bill, never changed.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="InvoiceCounter",
            fields=[
                (
                    "organization_id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                ("last_sequence", fields.BigIntField()),
            ],
            options={
                "table": "invoice_counter",
                "app": "models",
                "pk_attr": "organization_id",
                "table_description": "The last number given to an invoice of an organization.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="InvoiceLine",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True),
                ),
                ("organization_id", fields.UUIDField()),
                ("invoice_id", fields.UUIDField()),
                ("ordinal", fields.IntField()),
                ("kind", fields.CharField(max_length=16)),
                ("description", fields.TextField(unique=False)),
                ("product_price_id", fields.UUIDField()),
                ("metered_period_id", fields.UUIDField(null=True)),
                ("period_start", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("period_end", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("consumed", NumericField(null=True, generated=False, unique=False)),
                ("credited", NumericField(null=True, generated=False, unique=False)),
                ("billable", NumericField(null=True, generated=False, unique=False)),
                ("amount", NumericField(generated=False, null=False, unique=False)),
                ("position", fields.BigIntField(null=True)),
            ],
            options={
                "table": "invoice_line",
                "app": "models",
                "unique_together": (("organization_id", "invoice_id", "ordinal"),),
                "pk_attr": "id",
                "table_description": "A line of an invoice, never changed. Amount in minor units.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="MeterCreditBenefit",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True),
                ),
                ("organization_id", fields.UUIDField()),
                ("description", fields.CharField(max_length=1000)),
                ("meter_id", fields.UUIDField()),
                ("units", NumericField(generated=False, null=False, unique=False)),
                ("rollover", fields.BooleanField()),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "meter_credit_benefit",
                "app": "models",
                "indexes": [
                    Index(fields=["organization_id", "meter_id"], name="meter_credit_benefit_meter")
                ],
                "pk_attr": "id",
                "table_description": "Credits `units` of a meter at every period's start; unused ones roll over, or do not.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="MeteredPeriod",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True),
                ),
                ("organization_id", fields.UUIDField()),
                ("customer_id", fields.UUIDField()),
                ("meter_id", fields.UUIDField()),
                ("subscription_id", fields.UUIDField(null=True)),
                ("product_price_id", fields.UUIDField(null=True)),
                ("starts_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("ends_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("plain", NumericField(generated=False, null=False, unique=False)),
                ("rolling", NumericField(generated=False, null=False, unique=False)),
                ("closed_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("consumed", NumericField(null=True, generated=False, unique=False)),
                ("carried", NumericField(null=True, generated=False, unique=False)),
                ("position", fields.BigIntField(null=True)),
                ("is_behind", fields.BooleanField(default=False)),
                ("billed_consumed", NumericField(null=True, generated=False, unique=False)),
                ("billed_credited", NumericField(null=True, generated=False, unique=False)),
                ("billed_billable", NumericField(null=True, generated=False, unique=False)),
                ("billed_amount", NumericField(null=True, generated=False, unique=False)),
                ("is_disputed", fields.BooleanField(default=False)),
            ],
            options={
                "table": "metered_period",
                "app": "models",
                "indexes": [
                    Index(
                        fields=["organization_id", "customer_id", "meter_id", "starts_at"],
                        name="metered_period_chain",
                    ),
                    Index(
                        fields=["organization_id", "subscription_id", "starts_at"],
                        name="metered_period_subscription",
                    ),
                ],
                "pk_attr": "id",
                "table_description": "A link in the chain of periods of a customer on a meter; at most one of them is open.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Product",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True),
                ),
                ("organization_id", fields.UUIDField()),
                ("name", fields.CharField(max_length=256)),
                ("description", fields.CharField(null=True, max_length=1000)),
                ("recurring_interval", fields.CharField(max_length=8)),
                ("currency", fields.CharField(max_length=3)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "archived_at",
                    fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
                ),
            ],
            options={
                "table": "product",
                "app": "models",
                "indexes": [Index(fields=["organization_id", "id"], name="product_organization")],
                "pk_attr": "id",
                "table_description": "Something to subscribe to. Its interval, its currency and its prices never change.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ProductBenefit",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True),
                ),
                ("organization_id", fields.UUIDField()),
                ("product_id", fields.UUIDField()),
                ("benefit_id", fields.UUIDField()),
                ("ordinal", fields.IntField()),
            ],
            options={
                "table": "product_benefit",
                "app": "models",
                "unique_together": (("organization_id", "product_id", "benefit_id"),),
                "indexes": [
                    Index(fields=["organization_id", "benefit_id"], name="product_benefit_benefit")
                ],
                "pk_attr": "id",
                "table_description": "A benefit of a product. A change counts from each subscription's next period on.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ProductPrice",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True),
                ),
                ("organization_id", fields.UUIDField()),
                ("product_id", fields.UUIDField()),
                ("ordinal", fields.IntField()),
                ("kind", fields.CharField(max_length=8)),
                ("currency", fields.CharField(max_length=3)),
                ("amount", fields.BigIntField(null=True)),
                ("meter_id", fields.UUIDField(null=True)),
                ("pricing", fields.CharField(null=True, max_length=16)),
                ("unit_amount", NumericField(null=True, generated=False, unique=False)),
                ("tiers", ExactJSONField(null=True)),
                ("package_amount", fields.BigIntField(null=True)),
                ("package_size", NumericField(null=True, generated=False, unique=False)),
                ("cap_amount", fields.BigIntField(null=True)),
            ],
            options={
                "table": "product_price",
                "app": "models",
                "unique_together": (("organization_id", "product_id", "ordinal"),),
                "indexes": [
                    Index(fields=["organization_id", "meter_id"], name="product_price_meter")
                ],
                "pk_attr": "id",
                "table_description": "A price of a product, never changed. Amounts in minor units.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SubscriptionMeter",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                ("organization_id", fields.UUIDField()),
                ("customer_id", fields.UUIDField()),
                ("meter_id", fields.UUIDField()),
                ("subscription_id", fields.UUIDField()),
            ],
            options={
                "table": "subscription_meter",
                "app": "models",
                "indexes": [
                    Index(
                        fields=["organization_id", "subscription_id"],
                        name="subscription_meter_subscription",
                    )
                ],
                "pk_attr": "id",
                "table_description": "A live subscription's hold on a meter for its customer: no other may price or credit it.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SubscriptionPeriod",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True),
                ),
                ("organization_id", fields.UUIDField()),
                ("subscription_id", fields.UUIDField()),
                ("period_index", fields.IntField()),
                ("starts_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("ends_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("is_last", fields.BooleanField()),
                ("closed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "invoiced_at",
                    fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
                ),
                ("invoice_id", fields.UUIDField(null=True)),
            ],
            options={
                "table": "subscription_period",
                "app": "models",
                "unique_together": (("organization_id", "subscription_id", "period_index"),),
                "pk_attr": "id",
                "table_description": "A closed period of a subscription.",
            },
            bases=["Model"],
        ),
        # Keys that the models cannot express. All begin with the organization, so that the tables
        # can be distributed by it.
        ops.RunSQL(
            [
                "ALTER TABLE credit_entry DROP CONSTRAINT credit_entry_pkey, ADD PRIMARY KEY (organization_id, id)",
                "ALTER TABLE customer_subscription DROP CONSTRAINT customer_subscription_pkey, ADD PRIMARY KEY (organization_id, id)",
                "ALTER TABLE invoice DROP CONSTRAINT invoice_pkey, ADD PRIMARY KEY (organization_id, id)",
                "ALTER TABLE invoice_line DROP CONSTRAINT invoice_line_pkey, ADD PRIMARY KEY (organization_id, id)",
                "ALTER TABLE metered_period DROP CONSTRAINT metered_period_pkey, ADD PRIMARY KEY (organization_id, id)",
                "ALTER TABLE subscription_period DROP CONSTRAINT subscription_period_pkey, ADD PRIMARY KEY (organization_id, id)",
                "ALTER TABLE product DROP CONSTRAINT product_pkey, ADD PRIMARY KEY (organization_id, id)",
                "ALTER TABLE product_price DROP CONSTRAINT product_price_pkey, ADD PRIMARY KEY (organization_id, id)",
                "ALTER TABLE meter_credit_benefit DROP CONSTRAINT meter_credit_benefit_pkey, ADD PRIMARY KEY (organization_id, id)",
                "ALTER TABLE product_benefit DROP CONSTRAINT product_benefit_pkey, ADD PRIMARY KEY (organization_id, id)",
                "ALTER TABLE billing_frontier DROP CONSTRAINT billing_frontier_pkey,"
                " ADD PRIMARY KEY (organization_id, customer_id)",
                "ALTER TABLE subscription_meter DROP CONSTRAINT subscription_meter_pkey,"
                " ADD PRIMARY KEY (organization_id, customer_id, meter_id)",
                "CREATE INDEX customer_subscription_due ON customer_subscription (current_period_end)"
                " WHERE status = 'ACTIVE'",
                "CREATE INDEX customer_subscription_corrections ON customer_subscription (corrections_due_at)"
                " WHERE corrections_due_at IS NOT NULL",
                "CREATE INDEX subscription_period_waiting ON subscription_period (organization_id, ends_at)"
                " WHERE invoiced_at IS NULL",
                "CREATE UNIQUE INDEX metered_period_open ON metered_period (organization_id, customer_id, meter_id)"
                " WHERE closed_at IS NULL",
                "CREATE INDEX metered_period_disputed ON metered_period (organization_id, subscription_id)"
                " WHERE is_disputed",
                "CREATE INDEX metered_period_behind ON metered_period (organization_id, meter_id) WHERE is_behind",
                "CREATE INDEX billing_frontier_late ON billing_frontier (organization_id) WHERE late_from IS NOT NULL",
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
    ]

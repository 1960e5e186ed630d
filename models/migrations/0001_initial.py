"""The first tables: organizations, access, events, meters, usage."""

from decimal import Decimal
from uuid import uuid4

from tortoise import fields, migrations
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.fields.base import OnDelete
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from models.fields import ExactJSONField, NumericField
from models.identifiers import new_id


class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name="Customer",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True),
                ),
                ("organization_id", fields.UUIDField()),
                ("external_id", fields.CharField(null=True, max_length=256)),
                ("name", fields.CharField(null=True, max_length=256)),
                ("email", fields.CharField(null=True, max_length=320)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=True)),
            ],
            options={
                "table": "customer",
                "app": "models",
                "unique_together": (("organization_id", "external_id"),),
                "pk_attr": "id",
                "table_description": "Somebody whose usage is metered.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="CustomerMeter",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True),
                ),
                ("organization_id", fields.UUIDField()),
                ("customer_id", fields.UUIDField()),
                ("meter_id", fields.UUIDField()),
                (
                    "period_start",
                    fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
                ),
                ("period_end", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("count", fields.BigIntField(default=0)),
                ("unique_count", fields.BigIntField(default=0)),
                (
                    "sum",
                    NumericField(default=Decimal(0), generated=False, null=False, unique=False),
                ),
                ("minimum", NumericField(null=True, generated=False, unique=False)),
                ("maximum", NumericField(null=True, generated=False, unique=False)),
                ("latest_value", NumericField(null=True, generated=False, unique=False)),
                ("latest_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("latest_event_id", fields.UUIDField(null=True)),
                (
                    "consumed",
                    NumericField(default=Decimal(0), generated=False, null=False, unique=False),
                ),
                (
                    "credited",
                    NumericField(default=Decimal(0), generated=False, null=False, unique=False),
                ),
                ("revision", fields.BigIntField(default=0)),
                ("updated_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "customer_meter",
                "app": "models",
                "unique_together": (("organization_id", "meter_id", "customer_id"),),
                "indexes": [
                    Index(
                        fields=["organization_id", "customer_id", "meter_id"],
                        name="customer_meter_customer",
                    ),
                    Index(fields=["organization_id", "revision"], name="customer_meter_revision"),
                ],
                "pk_attr": "id",
                "table_description": "Usage of a customer on a meter in the current period.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="CustomerMeterValue",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                ("organization_id", fields.UUIDField()),
                ("meter_id", fields.UUIDField()),
                ("customer_id", fields.UUIDField()),
                ("value", fields.BinaryField()),
            ],
            options={
                "table": "customer_meter_value",
                "app": "models",
                "pk_attr": "id",
                "table_description": "Distinct values of a customer's current period on a UNIQUE meter.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="CustomerSession",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True),
                ),
                ("organization_id", fields.UUIDField()),
                ("customer_id", fields.UUIDField()),
                ("secret_hash", fields.BinaryField()),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=True)),
                (
                    "expires_at",
                    fields.DatetimeField(db_index=True, auto_now=False, auto_now_add=False),
                ),
            ],
            options={
                "table": "customer_session",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A customer's short-lived token. Only the SHA-256 of the secret is stored.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Event",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True),
                ),
                ("organization_id", fields.UUIDField()),
                ("batch_id", fields.BigIntField()),
                ("customer_id", fields.UUIDField()),
                ("name", fields.CharField(max_length=128)),
                ("external_id", fields.CharField(null=True, max_length=256)),
                ("timestamp", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("metadata", ExactJSONField()),
            ],
            options={
                "table": "event",
                "app": "models",
                "indexes": [
                    Index(fields=["organization_id", "batch_id"], name="event_batch_id"),
                    Index(fields=["organization_id", "timestamp", "id"], name="event_timestamp"),
                    Index(fields=["organization_id", "name", "timestamp", "id"], name="event_name"),
                    Index(
                        fields=["organization_id", "customer_id", "timestamp", "id"],
                        name="event_customer",
                    ),
                ],
                "pk_attr": "id",
                "table_description": "An event, never changed once stored.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="EventBatch",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                ("organization_id", fields.UUIDField()),
                ("position", fields.BigIntField(null=True)),
                ("event_count", fields.IntField()),
                ("events_through", fields.BigIntField(null=True)),
                ("names", ArrayField(element_type="TEXT")),
                ("received_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "processed_at",
                    fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
                ),
            ],
            options={
                "table": "event_batch",
                "app": "models",
                "unique_together": (("organization_id", "position"),),
                "indexes": [
                    Index(fields=["organization_id", "received_at"], name="event_batch_received")
                ],
                "pk_attr": "id",
                "table_description": "Events that were committed together.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="EventLog",
            fields=[
                (
                    "organization_id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                ("head", fields.BigIntField(default=0)),
                ("events", fields.BigIntField(default=0)),
                ("revision", fields.BigIntField(default=0)),
            ],
            options={
                "table": "event_log",
                "app": "models",
                "pk_attr": "organization_id",
                "table_description": "How far the log of an organization has been counted.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Organization",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True),
                ),
                ("name", fields.CharField(max_length=256)),
                ("slug", fields.CharField(unique=True, max_length=64)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=True)),
            ],
            options={
                "table": "organization",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A tenant. `slug` names it on the command line.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="AccessToken",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True),
                ),
                (
                    "organization",
                    fields.ForeignKeyField(
                        "models.Organization",
                        source_field="organization_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="access_tokens",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("name", fields.CharField(max_length=256)),
                ("scopes", ArrayField(element_type="TEXT")),
                ("secret_hash", fields.BinaryField()),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=True)),
                (
                    "last_used_at",
                    fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
                ),
                ("revoked_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "access_token",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A bearer token of an organization.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Meter",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True),
                ),
                (
                    "organization",
                    fields.ForeignKeyField(
                        "models.Organization",
                        source_field="organization_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="meters",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("name", fields.CharField(max_length=256)),
                ("unit", fields.CharField(null=True, max_length=64)),
                ("event_filter", ExactJSONField()),
                ("aggregation_function", fields.CharField(max_length=16)),
                ("aggregation_property", fields.CharField(null=True, max_length=256)),
                ("event_names", ArrayField(null=True, element_type="TEXT")),
                ("position", fields.BigIntField(null=True, default=0)),
                ("counted_events", fields.BigIntField(default=0)),
                ("skipped_events", fields.BigIntField(default=0)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=True)),
                ("updated_at", fields.DatetimeField(auto_now=True, auto_now_add=False)),
                (
                    "archived_at",
                    fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
                ),
            ],
            options={
                "table": "meter",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A filter over events and an aggregation of those that match.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="UsageBucket",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                ("organization_id", fields.UUIDField()),
                ("meter_id", fields.UUIDField()),
                ("customer_id", fields.UUIDField()),
                ("bucket", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("count", fields.BigIntField()),
                ("skipped", fields.BigIntField()),
                ("sum", NumericField(generated=False, null=False, unique=False)),
                ("minimum", NumericField(null=True, generated=False, unique=False)),
                ("maximum", NumericField(null=True, generated=False, unique=False)),
                ("latest_value", NumericField(null=True, generated=False, unique=False)),
                ("latest_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("latest_event_id", fields.UUIDField(null=True)),
            ],
            options={
                "table": "usage_bucket",
                "app": "models",
                "pk_attr": "id",
                "table_description": "Usage of a customer on a meter in 15 minutes.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="UsageValue",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                ("organization_id", fields.UUIDField()),
                ("meter_id", fields.UUIDField()),
                ("customer_id", fields.UUIDField()),
                ("bucket", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("value", fields.BinaryField()),
            ],
            options={
                "table": "usage_value",
                "app": "models",
                "pk_attr": "id",
                "table_description": "Distinct values of a UNIQUE meter in 15 minutes.",
            },
            bases=["Model"],
        ),
        # Keys that the models cannot express. Those of hot tables begin with the organization, so
        # that the tables can be distributed by it.
        ops.RunSQL(
            [
                "ALTER TABLE customer DROP CONSTRAINT customer_pkey, ADD PRIMARY KEY (organization_id, id)",
                "ALTER TABLE event_batch DROP CONSTRAINT event_batch_pkey, ADD PRIMARY KEY (organization_id, id)",
                "CREATE INDEX event_batch_pending ON event_batch (organization_id, id) WHERE position IS NULL",
                "ALTER TABLE event DROP CONSTRAINT event_pkey, ADD PRIMARY KEY (organization_id, id)",
                (
                    "CREATE UNIQUE INDEX event_external_id ON event (organization_id, external_id)"
                    " WHERE external_id IS NOT NULL"
                ),
                (
                    "ALTER TABLE usage_bucket DROP CONSTRAINT usage_bucket_pkey,"
                    " ADD PRIMARY KEY (organization_id, meter_id, customer_id, bucket)"
                ),
                (
                    "ALTER TABLE usage_value DROP CONSTRAINT usage_value_pkey,"
                    " ADD PRIMARY KEY (organization_id, meter_id, customer_id, bucket, value)"
                ),
                "ALTER TABLE customer_meter DROP CONSTRAINT customer_meter_pkey, ADD PRIMARY KEY (organization_id, id)",
                (
                    "ALTER TABLE customer_meter_value DROP CONSTRAINT customer_meter_value_pkey,"
                    " ADD PRIMARY KEY (organization_id, meter_id, customer_id, value)"
                ),
                "CREATE UNIQUE INDEX access_token_secret_hash ON access_token (secret_hash)",
                "CREATE UNIQUE INDEX customer_session_secret_hash ON customer_session (secret_hash)",
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
    ]

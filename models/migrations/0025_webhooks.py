"""The outbox, webhook endpoints and deliveries."""

from tortoise import fields, migrations
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from models.fields import ExactJSONField
from models.identifiers import new_id


class Migration(migrations.Migration):
    dependencies = [("models", "0023_search")]

    initial = False

    operations = [
        ops.CreateModel(
            name="OutboxEvent",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True),
                ),
                ("organization_id", fields.UUIDField()),
                ("sequence", fields.BigIntField()),
                ("type", fields.CharField(max_length=64)),
                ("object_id", fields.UUIDField()),
                ("payload", ExactJSONField(null=True)),
                (
                    "created_at",
                    fields.DatetimeField(db_index=True, auto_now=False, auto_now_add=False),
                ),
            ],
            options={
                "table": "outbox_event",
                "app": "models",
                "pk_attr": "id",
                "table_description": "Something that happened to an object; see `metering.live.outbox`.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="WebhookEndpoint",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True),
                ),
                ("organization_id", fields.UUIDField()),
                ("url", fields.CharField(max_length=2048)),
                ("description", fields.CharField(max_length=256, null=True)),
                ("event_types", ArrayField(element_type="text")),
                ("secret", fields.TextField(unique=False)),
                ("previous_secret", fields.TextField(null=True, unique=False)),
                (
                    "previous_secret_until",
                    fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
                ),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "disabled_at",
                    fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
                ),
                ("disabled_reason", fields.TextField(null=True, unique=False)),
                (
                    "failing_since",
                    fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
                ),
                ("lease", fields.UUIDField(null=True)),
                (
                    "leased_until",
                    fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
                ),
            ],
            options={
                "table": "webhook_endpoint",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A URL of an organization that is told what happened.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="WebhookDelivery",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True),
                ),
                ("organization_id", fields.UUIDField()),
                ("endpoint_id", fields.UUIDField()),
                ("event_id", fields.UUIDField()),
                ("object_id", fields.UUIDField()),
                ("sequence", fields.BigIntField()),
                ("status", fields.CharField(max_length=16)),
                ("tries", fields.IntField()),
                ("tries_since", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "next_attempt_at",
                    fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
                ),
                ("attempts", ExactJSONField()),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "webhook_delivery",
                "app": "models",
                "indexes": [
                    Index(
                        fields=["organization_id", "status", "id"], name="webhook_delivery_status"
                    ),
                    Index(
                        fields=["organization_id", "endpoint_id", "id"],
                        name="webhook_delivery_list",
                    ),
                    Index(
                        fields=["organization_id", "endpoint_id", "status", "id"],
                        name="webhook_delivery_list_status",
                    ),
                    Index(fields=["organization_id", "event_id"], name="webhook_delivery_event"),
                ],
                "pk_attr": "id",
                "table_description": "An outbox event for one endpoint, and its tries.",
            },
            bases=["Model"],
        ),
        ops.RunSQL(
            [
                *(
                    f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey,"
                    " ADD PRIMARY KEY (organization_id, id)"
                    for table in ("outbox_event", "webhook_endpoint", "webhook_delivery")
                ),
                "ALTER TABLE outbox_event ALTER sequence ADD GENERATED ALWAYS AS IDENTITY",
                "CREATE INDEX outbox_event_pending ON outbox_event (organization_id, sequence)"
                " WHERE payload IS NULL",
                # Deleting an endpoint, or an old event, takes its deliveries along.
                """
                ALTER TABLE webhook_delivery
                    ADD FOREIGN KEY (organization_id, endpoint_id) REFERENCES webhook_endpoint
                        (organization_id, id) ON DELETE CASCADE,
                    ADD FOREIGN KEY (organization_id, event_id) REFERENCES outbox_event
                        (organization_id, id) ON DELETE CASCADE
                """,
                "CREATE INDEX webhook_delivery_due ON webhook_delivery"
                " (organization_id, endpoint_id, next_attempt_at) WHERE status = 'PENDING'",
                "CREATE INDEX webhook_delivery_object ON webhook_delivery"
                " (organization_id, endpoint_id, object_id, sequence) WHERE status = 'PENDING'",
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
    ]

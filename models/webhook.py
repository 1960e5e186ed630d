"""What happened and is to be told: the outbox, webhook endpoints, and deliveries to them."""

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.indexes import Index
from tortoise.models import Model

from models.fields import ExactJSONField
from models.identifiers import new_id


class OutboxEvent(Model):
    """Something that happened to an object; see `metering.live.outbox`.

    PostgreSQL gives `sequence`, which orders the events of one object. `body` is the JSON that is
    sent. It is null until a worker has rendered it and made the deliveries. `traceparent` is the
    span in which it happened, if that was traced (`config.tracing`).
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization_id = fields.UUIDField()
    sequence = fields.BigIntField()
    type = fields.CharField(max_length=64)
    object_id = fields.UUIDField()
    body = fields.TextField(null=True)
    created_at = fields.DatetimeField(db_index=True)
    traceparent = fields.CharField(max_length=55, null=True)

    class Meta:
        table = "outbox_event"


class WebhookEndpoint(Model):
    """A URL of an organization that is told what happened.

    `event_types` are those that it wants; none means all. `secret` signs, and until
    `previous_secret_until` so does `previous_secret`; both are encrypted. `failing_since`: since
    when no delivery has succeeded. A worker that holds the lease, until `leased_until`, is the only
    one that sends to the endpoint.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization_id = fields.UUIDField()
    url = fields.CharField(max_length=2048)
    description = fields.CharField(max_length=256, null=True)
    event_types = ArrayField("text")
    secret = fields.TextField()
    previous_secret = fields.TextField(null=True)
    previous_secret_until = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField()
    disabled_at = fields.DatetimeField(null=True)
    disabled_reason = fields.TextField(null=True)
    failing_since = fields.DatetimeField(null=True)
    lease = fields.UUIDField(null=True)
    leased_until = fields.DatetimeField(null=True)

    class Meta:
        table = "webhook_endpoint"


class WebhookDelivery(Model):
    """An outbox event for one endpoint, and its tries.

    `status` is PENDING, DELIVERED or FAILED. `sequence` and `object_id` are the event's. `tries`
    counts from `tries_since`, which sending the delivery again resets; `attempts` has all of them.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization_id = fields.UUIDField()
    endpoint_id = fields.UUIDField()
    event_id = fields.UUIDField()
    object_id = fields.UUIDField()
    sequence = fields.BigIntField()
    status = fields.CharField(max_length=16)
    tries = fields.IntField()
    tries_since = fields.DatetimeField()
    next_attempt_at = fields.DatetimeField(null=True)
    attempts = ExactJSONField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "webhook_delivery"
        indexes = (
            Index(fields=("organization_id", "status", "id"), name="webhook_delivery_status"),
            Index(fields=("organization_id", "endpoint_id", "id"), name="webhook_delivery_list"),
            Index(
                fields=("organization_id", "endpoint_id", "status", "id"),
                name="webhook_delivery_list_status",
            ),
            Index(fields=("organization_id", "event_id"), name="webhook_delivery_event"),
        )

"""Events, the batches in which they were committed, and the log that counts them."""

from datetime import UTC, datetime

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.indexes import Index
from tortoise.models import Model

from models.fields import ExactJSONField
from models.identifiers import new_id


class Event(Model):
    """An event, never changed once stored, but its metadata is erased with its customer.

    Ids grow in the order of storing, also within a batch. The batch has the times at which it was
    received and processed. A voided event has left its batch: `batch_id` is then the negative of
    what it was (`metering.language.voided`). The table is partitioned by the month of `timestamp`;
    the key of each partition is (organization, id).
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization_id = fields.UUIDField()
    batch_id = fields.BigIntField()
    customer_id = fields.UUIDField()
    name = fields.CharField(max_length=128)
    external_id = fields.CharField(max_length=256, null=True)
    timestamp = fields.DatetimeField()
    metadata = ExactJSONField()

    class Meta:
        table = "event"
        indexes = (
            Index(fields=("organization_id", "batch_id"), name="event_batch_id"),
            Index(fields=("organization_id", "timestamp", "id"), name="event_timestamp"),
            Index(fields=("organization_id", "name", "timestamp", "id"), name="event_name"),
            Index(
                fields=("organization_id", "customer_id", "timestamp", "id"), name="event_customer"
            ),
        )


class EventVoid(Model):
    """That an event is voided: it counts nowhere from `position` of the log on.

    The key in the database is (organization, event).
    """

    organization_id = fields.UUIDField()
    event_id = fields.UUIDField(primary_key=True)
    position = fields.BigIntField()
    voided_at = fields.DatetimeField()
    reason = fields.TextField()

    class Meta:
        table = "event_void"


class EventKey(Model):
    """The external id of an event, in a short form: no two events may have the same.

    The key in the database is (organization, key); `external_id_key` in the database makes keys.
    `event_id` and `timestamp` find the event.
    """

    organization_id = fields.UUIDField()
    event_id = fields.UUIDField()
    timestamp = fields.DatetimeField()
    key = fields.BinaryField(primary_key=True)

    class Meta:
        table = "event_key"


class PackedIndex(Model):
    """An index of a month's events that was packed (`metering.packing`), and its size then."""

    name = fields.CharField(max_length=63, primary_key=True)
    bytes = fields.BigIntField()
    packed_at = fields.DatetimeField()

    class Meta:
        table = "packed_index"


class EventBatch(Model):
    """Events that were committed together; none if something else took a position of the log.

    `position`, `events_through` (how many events the log holds up to and including this batch) and
    `processed_at` are null until the batch is counted. `names` are its events' distinct names, and
    their timestamps are from `first_at` to `last_at`. `traceparent` is the span that stored it, if
    it was traced (`config.tracing`).
    """

    id = fields.BigIntField(primary_key=True, generated=True)
    organization_id = fields.UUIDField()
    position = fields.BigIntField(null=True)
    event_count = fields.IntField()
    events_through = fields.BigIntField(null=True)
    names = ArrayField("text")
    received_at = fields.DatetimeField()
    processed_at = fields.DatetimeField(null=True)
    traceparent = fields.CharField(max_length=55, null=True)
    first_at = fields.DatetimeField(db_default=datetime(1, 1, 1, tzinfo=UTC))
    last_at = fields.DatetimeField(db_default=datetime(9999, 12, 31, tzinfo=UTC))

    class Meta:
        table = "event_batch"
        unique_together = (("organization_id", "position"),)
        indexes = (Index(fields=("organization_id", "received_at"), name="event_batch_received"),)


class EventLog(Model):
    """How far the log of an organization has been counted.

    `head`: the last position given to a batch. `events`: how many events the log holds up to it.
    `revision`: grows with every change of a customer meter, under this row's lock, so that no
    change appears behind a cursor. `changes`: how many changes `usage_change` has. When stale ones
    were last removed, `current_changes` were left. `erased_customers`: how many were erased.
    """

    organization_id = fields.UUIDField(primary_key=True)
    head = fields.BigIntField(default=0)
    events = fields.BigIntField(default=0)
    revision = fields.BigIntField(default=0)
    changes = fields.BigIntField(default=0, db_default=0)
    current_changes = fields.BigIntField(default=0, db_default=0)
    erased_customers = fields.BigIntField(default=0, db_default=0)

    class Meta:
        table = "event_log"


class EventName(Model):
    """How often and when events of a name happened.

    The key in the database is (organization, name). `key_samples` holds the metadata keys of a few
    recent events, latest first. An index of `event` is called `event_name`, so the table is not.
    """

    organization_id = fields.UUIDField()
    name = fields.CharField(max_length=128, primary_key=True)
    occurrences = fields.BigIntField()
    first_seen_at = fields.DatetimeField()
    last_seen_at = fields.DatetimeField()
    key_samples = ExactJSONField()

    class Meta:
        table = "event_name_seen"

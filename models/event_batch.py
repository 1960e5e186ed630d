"""Events that were committed together: the unit in which the log is counted."""

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.indexes import Index
from tortoise.models import Model


class EventBatch(Model):
    """Events that were committed together; none, where something else took a position of the log.

    `position`, `events_through` (how many events the log holds up to and with this batch) and
    `processed_at` are null until the worker has counted the batch; `names` are the distinct names
    of its events.
    """

    id = fields.BigIntField(primary_key=True, generated=True)
    organization_id = fields.UUIDField()
    position = fields.BigIntField(null=True)
    event_count = fields.IntField()
    events_through = fields.BigIntField(null=True)
    names = ArrayField("text")
    received_at = fields.DatetimeField()
    processed_at = fields.DatetimeField(null=True)

    class Meta:
        table = "event_batch"
        unique_together = (("organization_id", "position"),)
        indexes = (Index(fields=("organization_id", "received_at"), name="event_batch_received"),)

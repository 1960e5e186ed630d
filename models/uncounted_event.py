"""Events that a meter could not count, so that the log went on without them."""

from tortoise import fields
from tortoise.models import Model


class UncountedEvent(Model):
    """An event that made counting fail, for one meter.

    One row a (meter, event), which is its primary key in the database (`id` serves the ORM only).
    The meter's numbers leave the event out; `reason` is what the database said.
    """

    id = fields.BigIntField(primary_key=True, generated=True)
    organization_id = fields.UUIDField()
    meter_id = fields.UUIDField()
    event_id = fields.UUIDField()
    reason = fields.TextField()
    recorded_at = fields.DatetimeField()

    class Meta:
        table = "uncounted_event"

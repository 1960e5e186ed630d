"""Events that a meter could not count, so that the log went on without them."""

from tortoise import fields
from tortoise.models import Model


class UncountedEvent(Model):
    """An event that made counting fail, for one meter.

    One row a (meter, event), which is its primary key in the database (`id` serves the ORM only).
    The meter's numbers leave the event out; `reason` is what the database said. `counted_from` is
    the position of the log from which on they have it after all; null while they do not.
    """

    id = fields.BigIntField(primary_key=True, generated=True)
    organization_id = fields.UUIDField()
    meter_id = fields.UUIDField()
    event_id = fields.UUIDField()
    reason = fields.TextField()
    recorded_at = fields.DatetimeField()
    counted_from = fields.BigIntField(null=True)

    class Meta:
        table = "uncounted_event"

"""How far an organization's log of events has been counted. Its row is the log's lock."""

from tortoise import fields
from tortoise.models import Model


class EventLog(Model):
    """How far the log of an organization has been counted.

    `head`: the last position given to a batch. `events`: how many events the log holds up to it.
    `revision`: grows with every change of a customer meter, under this row's lock, so that no
    change appears behind a cursor.
    """

    organization_id = fields.UUIDField(primary_key=True)
    head = fields.BigIntField(default=0)
    events = fields.BigIntField(default=0)
    revision = fields.BigIntField(default=0)

    class Meta:
        table = "event_log"

"""A name that events have, kept up as they are counted, so that nobody has to scan them for it."""

from tortoise import fields
from tortoise.models import Model

from models.fields import ExactJSONField


class EventName(Model):
    """How often and when events of a name happened.

    One row a name, which is its primary key in the database (`id` serves the ORM only).
    `key_samples` holds the lists of metadata keys of a few late events, latest first. The table is
    not called `event_name`, because an index of `event` is.
    """

    id = fields.BigIntField(primary_key=True, generated=True)
    organization_id = fields.UUIDField()
    name = fields.CharField(max_length=128)
    occurrences = fields.BigIntField()
    first_seen_at = fields.DatetimeField()
    last_seen_at = fields.DatetimeField()
    key_samples = ExactJSONField()

    class Meta:
        table = "event_name_seen"

"""A name that events have, kept up as they are counted, so that nobody has to scan them for it."""

from tortoise import fields
from tortoise.models import Model

from models.fields import ExactJSONField


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

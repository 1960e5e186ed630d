"""Something that happened, as an application reported it. Never changed once stored."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.fields import ExactJSONField
from models.identifiers import new_id


class Event(Model):
    """An event, never changed once stored.

    Ids grow in the order of storing, also within a batch. When it was received and when it
    was processed is said by its batch.
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

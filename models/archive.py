"""Months whose events are archived, and what is kept of them."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.fields import ExactJSONField


class ArchivedMonth(Model):
    """A month whose events were written to files, or are being written.

    `name` is also that of its folder in `directory`, and `partition` that of its table. No event
    before `ends_at` is stored any more. `starts_at` is null for the time before the first month.
    From `archived_at` on, nothing reads the month's events; from `dropped_at` on, they are gone.
    """

    name = fields.CharField(max_length=32, primary_key=True)
    id = fields.UUIDField(unique=True)
    partition = fields.CharField(max_length=63)
    starts_at = fields.DatetimeField(null=True)
    ends_at = fields.DatetimeField()
    directory = fields.TextField()
    events = fields.BigIntField(default=0)
    bytes = fields.BigIntField(default=0)
    began_at = fields.DatetimeField()
    archived_at = fields.DatetimeField(null=True)
    dropped_at = fields.DatetimeField(null=True)

    class Meta:
        table = "archived_month"


class ArchivedEvents(Model):
    """How many events an organization has in an archived month, and the last position of one.

    The key in the database is (organization, month).
    """

    organization_id = fields.UUIDField()
    month = fields.CharField(max_length=32, primary_key=True)
    events = fields.BigIntField()
    last_position = fields.BigIntField()

    class Meta:
        table = "archived_events"


class KeptEdge(Model):
    """A piece of archived time in which a period begins, so that the customer's events are kept.

    The key in the database is (organization, customer, starts_at).
    """

    organization_id = fields.UUIDField()
    customer_id = fields.UUIDField(primary_key=True)
    starts_at = fields.DatetimeField()
    ends_at = fields.DatetimeField()

    class Meta:
        table = "kept_edge"


class KeptEvent(Model):
    """An archived event that is kept, because it happened in a kept edge.

    It has the columns of `event`. The key in the database is (organization, id).
    """

    id = fields.UUIDField(primary_key=True)
    organization_id = fields.UUIDField()
    batch_id = fields.BigIntField()
    customer_id = fields.UUIDField()
    name = fields.CharField(max_length=128)
    external_id = fields.CharField(max_length=256, null=True)
    timestamp = fields.DatetimeField()
    metadata = ExactJSONField()

    class Meta:
        table = "kept_event"
        indexes = (
            Index(
                fields=("organization_id", "customer_id", "timestamp"), name="kept_event_customer"
            ),
        )

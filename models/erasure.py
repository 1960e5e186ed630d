"""Erased customers, and how many of their events meters can still count."""

from tortoise import fields
from tortoise.models import Model


class CustomerErasure(Model):
    """A customer who was erased, and how far the metadata of its events is.

    The key in the database is (organization, customer). Events from `next_from` on may still have
    metadata; it is null if none has, since `finished_at`. `erased_events` had some.
    """

    organization_id = fields.UUIDField()
    customer_id = fields.UUIDField(primary_key=True)
    erased_at = fields.DatetimeField()
    next_from = fields.DatetimeField(null=True)
    erased_events = fields.BigIntField(default=0)
    finished_at = fields.DatetimeField(null=True)

    class Meta:
        table = "customer_erasure"


class ErasedCount(Model):
    """How many events of an organization were erased while meters had a definition.

    The key in the database is (organization, definition). `definition` is a key of
    `metering.language.erased`, or empty for all erased events.
    """

    organization_id = fields.UUIDField()
    definition = fields.CharField(max_length=64, primary_key=True)
    events = fields.BigIntField()

    class Meta:
        table = "erased_count"

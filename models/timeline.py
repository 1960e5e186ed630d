"""Timelines: the histories of the database, one from each restore to the next."""

from tortoise import fields
from tortoise.models import Model


class LogTimeline(Model):
    """A history of the database.

    The first one begins with the database, each other one where a restore went on. `number` orders
    them, and cursors name `id`. `place` identifies the database in which it began; null if unknown.
    """

    number = fields.IntField(primary_key=True, generated=False)
    id = fields.UUIDField(unique=True)
    place = fields.TextField(null=True)
    began_at = fields.DatetimeField()

    class Meta:
        table = "log_timeline"


class LogFork(Model):
    """How far an organization's log had come when a timeline began.

    The key in the database is (organization, timeline). Without a row, the log was empty.
    """

    organization_id = fields.UUIDField()
    timeline = fields.IntField(primary_key=True, generated=False)
    head = fields.BigIntField()
    revision = fields.BigIntField()

    class Meta:
        table = "log_fork"

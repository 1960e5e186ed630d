"""Meters: what to count."""

from uuid import UUID

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model

from models.fields import ExactJSONField
from models.identifiers import new_id
from models.organization import Organization

CLEARING = -1
"""The `dimensions_position` of a meter whose old usage by dimension is being deleted."""


class Meter(Model):
    """A filter over events and an aggregation of those that match.

    `position` is null while the meter is live, at the head of the log, and a number while it
    catches up or is archived. `event_names` are the names that its filter can match, null for any.
    `counted_events` were aggregated; `skipped_events` passed the filter but had nothing to
    aggregate. The present filter and aggregation hold from the log position `defined_from` on; the
    earlier ones counted no event. `problem` says why counting fails and `failing_since` since
    when; the next try is at `retry_at`. `usage_version` grows when usage changes other than by
    counting.

    Usage is also kept by `dimensions`, and counted up to `dimensions_position`. That is null while
    it is counted together with the rest or there are no dimensions, and CLEARING until what was
    kept by earlier dimensions is deleted.

    If it `carries_over`, a range begins with the latest value from before.

    `complete_from` is set if the meter has not counted events from before, which were archived;
    `dimensions_complete_from` says the same of usage by dimension.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization: fields.ForeignKeyRelation[Organization] = fields.ForeignKeyField(
        "models.Organization", related_name="meters", db_index=True
    )
    organization_id: UUID
    name = fields.CharField(max_length=256)
    unit = fields.CharField(max_length=64, null=True)
    event_filter = ExactJSONField()
    aggregation_function = fields.CharField(max_length=16)
    aggregation_property = fields.CharField(max_length=256, null=True)
    carries_over = fields.BooleanField(default=False, db_default=False)
    event_names = ArrayField("text", null=True)
    position = fields.BigIntField(null=True, default=0)
    defined_from = fields.BigIntField(null=True)
    counted_events = fields.BigIntField(default=0)
    skipped_events = fields.BigIntField(default=0)
    usage_version = fields.BigIntField(default=0)
    dimensions = ArrayField("text", default=list)
    dimensions_position = fields.BigIntField(null=True)
    complete_from = fields.DatetimeField(null=True)
    dimensions_complete_from = fields.DatetimeField(null=True)
    problem = fields.TextField(null=True)
    failing_since = fields.DatetimeField(null=True)
    retry_at = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField(auto_now_add=True)
    updated_at = fields.DatetimeField(auto_now=True)
    archived_at = fields.DatetimeField(null=True)

    class Meta:
        table = "meter"

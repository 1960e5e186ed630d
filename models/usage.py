"""Usage: what meters have counted, per 15 minutes and in each customer's current period."""

from decimal import Decimal
from uuid import UUID

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.indexes import Index
from tortoise.models import Model

from models.aggregation_state import AggregationState, AggregationStates
from models.fields import NumericField
from models.identifiers import new_id

ALL_CUSTOMERS = UUID(int=0)
"""The customer_id of the rows that sum up all customers."""


class UsageBucket(AggregationState, Model):
    """Usage of a customer on a meter in 15 minutes.

    The key in the database is (organization, meter, customer, bucket). Rows of ALL_CUSTOMERS make
    usage of all customers as cheap to read as that of one; they have a partition of their own.
    `count` are the events with a value, `skipped` those without.
    """

    organization_id = fields.UUIDField()
    meter_id = fields.UUIDField()
    customer_id = fields.UUIDField()
    bucket = fields.DatetimeField(primary_key=True)
    count = fields.BigIntField()
    skipped = fields.BigIntField()

    class Meta:
        table = "usage_bucket"


class UsageValue(Model):
    """Distinct values of a UNIQUE meter in 15 minutes.

    The key in the database is (organization, meter, customer, bucket, value), with rows for
    ALL_CUSTOMERS too. `value` is a hash of the typed value.
    """

    organization_id = fields.UUIDField()
    meter_id = fields.UUIDField()
    customer_id = fields.UUIDField()
    bucket = fields.DatetimeField()
    value = fields.BinaryField(primary_key=True)

    class Meta:
        table = "usage_value"


class UsageRange(AggregationStates, Model):
    """Usage of every customer on a meter in a range of whole buckets, as of a position of the log.

    The key in the database is (organization, meter, range_start, range_end). The row is a cache: it
    may be deleted at any time, and does not count if `usage_version` is not the meter's.
    `customers` is the length of the arrays. `events` is how many events the log holds up to
    `position`.
    """

    organization_id = fields.UUIDField()
    meter_id = fields.UUIDField()
    range_start = fields.DatetimeField()
    range_end = fields.DatetimeField(primary_key=True)
    usage_version = fields.BigIntField()
    position = fields.BigIntField()
    events = fields.BigIntField()
    kept_at = fields.DatetimeField()
    customers = fields.IntField()
    customer_ids = ArrayField("uuid")
    count = ArrayField("bigint")

    class Meta:
        table = "usage_range"


class CustomerMeterValue(Model):
    """Distinct values of a customer's current period on a UNIQUE meter.

    The key in the database is (organization, meter, customer, value). A value that is inserted is
    new in the period, so that counting distinct values reads only the new events.
    """

    organization_id = fields.UUIDField()
    meter_id = fields.UUIDField()
    customer_id = fields.UUIDField()
    value = fields.BinaryField(primary_key=True)

    class Meta:
        table = "customer_meter_value"


class CustomerMeter(AggregationState, Model):
    """Usage of a customer on a meter in the current period.

    The aggregate columns are those of UsageBucket except `skipped`. The period is that of a
    subscription; the time since the last one if `period_end` is null; all time before the first
    one if `period_start` is null too. `consumed` follows from the aggregate, `credited` from the
    credit ledger. At `credit_until`, a grant begins or ends, and `credited` has to be computed
    again. `revision` is the log's revision at the last change.

    No index has a column that counting changes, and pages are filled by half. So an update writes
    no index, and the new version of the row stays on its page.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization_id = fields.UUIDField()
    customer_id = fields.UUIDField()
    meter_id = fields.UUIDField()
    period_start = fields.DatetimeField(null=True)
    period_end = fields.DatetimeField(null=True)
    count = fields.BigIntField(default=0)
    unique_count = fields.BigIntField(default=0)
    consumed = NumericField(default=Decimal(0))
    credited = NumericField(default=Decimal(0))
    credit_until = fields.DatetimeField(null=True)
    revision = fields.BigIntField(default=0)
    updated_at = fields.DatetimeField()
    # The position of the log up to which it is counted, if it was read along with the row.
    counted_position: int | None = None

    class Meta:
        table = "customer_meter"
        unique_together = (("organization_id", "meter_id", "customer_id"),)
        indexes = (
            Index(
                fields=("organization_id", "customer_id", "meter_id"),
                name="customer_meter_customer",
            ),
        )


class UsageChange(Model):
    """Customer meters that a revision of the log changed.

    The key in the database is (organization, revision, first_id). `first_id` and `last_id` are the
    least and the greatest of `ids`, which may repeat one. A change is stale if the customer meter
    has a higher revision by now. Every customer meter has a change that is not stale.
    """

    organization_id = fields.UUIDField()
    revision = fields.BigIntField()
    first_id = fields.UUIDField(primary_key=True)
    last_id = fields.UUIDField()
    ids = ArrayField("uuid")

    class Meta:
        table = "usage_change"

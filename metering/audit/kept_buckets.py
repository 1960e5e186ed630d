"""What a meter keeps of its events: buckets in total, and by dimension."""

from dataclasses import dataclass

from metering.counting.dimensions import hour_sql, key_of_texts_sql, month_sql
from metering.language.definition import MeterDefinition
from models.dimension import OTHER
from models.meter import CLEARING


@dataclass(frozen=True, slots=True)
class KeptBuckets:
    """Buckets in total or by dimension: their tables, and the SQL of what they are kept by.

    `key` has the columns that tell a meter's buckets apart. `bucket` and `combination` are those of
    an event `e`. `position` is how far a row of `meter` has counted them.
    """

    buckets: str
    values: str
    key: str
    bucket: str
    combination: str
    position: str


IN_TOTAL = KeptBuckets(
    buckets="usage_bucket",
    values="usage_value",
    key="customer_id, bucket",
    bucket="date_bin('15 minutes', e.timestamp, TIMESTAMPTZ '1970-01-01 00:00Z')",
    combination="NULL::smallint",
    position="meter.position, log.head",
)
# A combination without a number was counted as OTHER.
BY_DIMENSION = KeptBuckets(
    buckets="dimension_bucket",
    values="dimension_value",
    key="customer_id, bucket, combination",
    bucket=hour_sql("e.timestamp"),
    combination=f"""coalesce((
        SELECT known.combination FROM dimension_combination known
        WHERE known.organization_id = $1 AND known.meter_id = $2
          AND known.customer_id = {{customer}} AND known.month = {month_sql("e.timestamp")}
          AND known.key = {key_of_texts_sql("{texts}")}
    ), {OTHER})""",
    position="meter.dimensions_position, meter.position, log.head",
)


def kept_buckets(meter: MeterDefinition) -> tuple[KeptBuckets, ...]:
    """What the meter keeps; not by dimensions that are being deleted."""
    has_dimensions = meter.dimensions and meter.dimensions_position != CLEARING
    return (IN_TOTAL, BY_DIMENSION) if has_dimensions else (IN_TOTAL,)

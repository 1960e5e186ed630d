"""Adding the events of some batches to a meter's buckets: one statement a meter, never a loop.

The statement also says what each customer's current period gains, its `Share`. Shares are merged
into `customer_meter` by `metering.customer_meters`, which is a short statement under the log's
lock, so that counting a long history does not hold that lock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from metering.aggregations import AggregationFunction
from metering.definition import MeterDefinition
from metering.parameters import Parameters
from metering.predicates import predicate_sql
from models import EVERYBODY

_NUMERIC_BUCKETS = """
    INSERT INTO usage_bucket AS kept (
        organization_id, meter_id, customer_id, bucket, count, skipped,
        sum, minimum, maximum, latest_value, latest_at, latest_event_id
    )
    SELECT $1, $2, coalesce(customer_id, $4), bucket, count(value), count(*) - count(value),
           coalesce(sum(value), 0), min(value), max(value), {latest}
    FROM matched
    GROUP BY GROUPING SETS ((customer_id, bucket), (bucket))
    ON CONFLICT (organization_id, meter_id, customer_id, bucket) DO UPDATE SET
        count = kept.count + excluded.count,
        skipped = kept.skipped + excluded.skipped,
        sum = kept.sum + excluded.sum,
        minimum = least(kept.minimum, excluded.minimum),
        maximum = greatest(kept.maximum, excluded.maximum),
        (latest_value, latest_at, latest_event_id) = (
            SELECT newer.value, newer.at, newer.event_id
            FROM (VALUES
                (kept.latest_value, kept.latest_at, kept.latest_event_id),
                (excluded.latest_value, excluded.latest_at, excluded.latest_event_id)
            ) AS newer (value, at, event_id)
            ORDER BY newer.at DESC NULLS LAST, newer.event_id DESC LIMIT 1
        )
"""

_UNIQUE_BUCKETS = """
    INSERT INTO usage_bucket AS kept (
        organization_id, meter_id, customer_id, bucket, count, skipped, sum
    )
    SELECT $1, $2, coalesce(customer_id, $4), bucket, count(value), count(*) - count(value), 0
    FROM matched
    GROUP BY GROUPING SETS ((customer_id, bucket), (bucket))
    ON CONFLICT (organization_id, meter_id, customer_id, bucket) DO UPDATE SET
        count = kept.count + excluded.count,
        skipped = kept.skipped + excluded.skipped
"""

# The statements of a meter that counts distinct values: those of the buckets, and those of the
# current periods, where a row that is inserted is a value that is new in the period.
_UNIQUE_VALUES = """,
bucket_values AS (
    INSERT INTO usage_value (organization_id, meter_id, customer_id, bucket, value)
    SELECT $1, $2, coalesce(customer_id, $4), bucket, value
    FROM matched WHERE value IS NOT NULL
    GROUP BY GROUPING SETS ((customer_id, bucket, value), (bucket, value))
    ON CONFLICT DO NOTHING
),
period_values AS (
    INSERT INTO customer_meter_value (organization_id, meter_id, customer_id, value)
    SELECT DISTINCT $1::uuid, $2::uuid, customer_id, value
    FROM matched WHERE value IS NOT NULL AND in_period
    ON CONFLICT DO NOTHING
    RETURNING customer_id
)
"""

_COUNT_BATCHES = """
WITH matched AS MATERIALIZED (
    SELECT e.id, e.customer_id, e.timestamp, counted.value, period.period_start,
           date_bin('15 minutes', e.timestamp, TIMESTAMPTZ '1970-01-01 00:00Z') AS bucket,
           coalesce(e.timestamp >= period.period_start AND e.timestamp < period.period_end, true)
               AS in_period
    FROM event e
    CROSS JOIN LATERAL (SELECT {value} AS value) AS counted
    LEFT JOIN customer_meter period
        ON period.organization_id = $1 AND period.meter_id = $2
       AND period.customer_id = e.customer_id
    WHERE e.organization_id = $1 AND e.batch_id = ANY($3::bigint[]) AND {predicate}
),
buckets AS ({buckets})
{values}
SELECT customer_id, period_start,
       count(value) AS counted, count(*) - count(value) AS skipped,
       count(value) FILTER (WHERE in_period) AS count,
       {share}
FROM matched
GROUP BY customer_id, period_start
"""

_NUMERIC_SHARE = """
       0 AS unique_count,
       coalesce(sum(value) FILTER (WHERE in_period), 0) AS sum,
       min(value) FILTER (WHERE in_period) AS minimum,
       max(value) FILTER (WHERE in_period) AS maximum,
       {latest}
"""

_UNIQUE_SHARE = """
       (SELECT count(*) FROM period_values WHERE period_values.customer_id = matched.customer_id)
           AS unique_count,
       0 AS sum, NULL::numeric AS minimum, NULL::numeric AS maximum,
       NULL::numeric AS latest_value, NULL::timestamptz AS latest_at, NULL::uuid AS latest_event_id
"""

_NO_LATEST = """
       NULL::numeric AS latest_value, NULL::timestamptz AS latest_at, NULL::uuid AS latest_event_id
"""

_LATEST = """
       (array_agg(value ORDER BY timestamp DESC, id DESC)
           FILTER (WHERE value IS NOT NULL {only}))[1] AS latest_value,
       (array_agg(timestamp ORDER BY timestamp DESC, id DESC)
           FILTER (WHERE value IS NOT NULL {only}))[1] AS latest_at,
       (array_agg(id ORDER BY timestamp DESC, id DESC)
           FILTER (WHERE value IS NOT NULL {only}))[1] AS latest_event_id
"""


@dataclass(frozen=True, slots=True)
class Share:
    """What some batches add to a customer on a meter.

    `counted` and `skipped` are of all its events in the batches; the others of those in the
    current period, which began at `period_start`, or of all where there is none.
    """

    meter_id: UUID
    customer_id: UUID
    period_start: datetime | None
    counted: int
    skipped: int
    count: int
    unique_count: int
    sum: Decimal
    minimum: Decimal | None
    maximum: Decimal | None
    latest_value: Decimal | None
    latest_at: datetime | None
    latest_event_id: UUID | None


async def count_batches(
    connection: BaseDBAsyncClient, meter: MeterDefinition, batch_ids: Sequence[int]
) -> list[Share]:
    """Adds the events of the batches that the meter's filter matches to its buckets.

    To be called once for each batch, in a transaction that also moves the meter's position.
    """
    parameters = Parameters(meter.organization_id, meter.id, list(batch_ids), EVERYBODY)
    rows = await connection.execute_query_dict(_statement(meter, parameters), parameters.values)
    return [Share(meter_id=meter.id, **row) for row in rows]


def _statement(meter: MeterDefinition, parameters: Parameters) -> str:
    function = meter.aggregation.function
    unique = function is AggregationFunction.UNIQUE
    latest = _LATEST if function is AggregationFunction.LATEST else _NO_LATEST
    return _COUNT_BATCHES.format(
        value=meter.aggregation.value_sql(parameters),
        predicate=predicate_sql(meter.filter, parameters),
        buckets=_UNIQUE_BUCKETS
        if unique
        else _NUMERIC_BUCKETS.format(latest=latest.format(only="")),
        values=_UNIQUE_VALUES if unique else "",
        share=_UNIQUE_SHARE
        if unique
        else _NUMERIC_SHARE.format(latest=latest.format(only="AND in_period")),
    )

"""Makes states of events again that could not be merged, because they overlap in time.

Events of two batches in the same 15 minutes may follow each other in any order. Only such buckets
of a customer are read again.
"""

from tortoise.backends.base.client import BaseDBAsyncClient

from metering.batches import Batches, events_of_batches
from metering.language.definition import MeterDefinition
from metering.language.erased import counted_sql, counted_value_sql
from metering.language.parameters import Parameters
from metering.language.time_weighted import OVERLAPPING, VALUE_SECONDS

# The laterals find a bucket and its events by index.
_REBUILD = """
WITH overlapping AS MATERIALIZED (
    SELECT touched.customer_id, touched.bucket
    FROM (
        SELECT DISTINCT e.customer_id,
               date_bin('15 minutes', e.timestamp, TIMESTAMPTZ '1970-01-01 00:00Z') AS bucket
        FROM {of_batches} AS e
        WHERE {predicate}
    ) AS touched
    CROSS JOIN LATERAL (
        SELECT value_seconds FROM usage_bucket kept
        WHERE kept.organization_id = $1 AND kept.meter_id = $2
          AND kept.customer_id = touched.customer_id AND kept.bucket = touched.bucket
        OFFSET 0
    ) AS kept
    WHERE kept.value_seconds = {overlapping}
)
UPDATE usage_bucket AS kept SET value_seconds = again.value_seconds
FROM overlapping
CROSS JOIN LATERAL (
    SELECT {of_events} AS value_seconds
    FROM event e
    CROSS JOIN LATERAL (SELECT {value} AS value) AS counted
    WHERE e.organization_id = $1 AND e.customer_id = overlapping.customer_id
      AND e.timestamp >= overlapping.bucket
      AND e.timestamp < overlapping.bucket + interval '15 minutes'
      AND {predicate}
      AND (
          SELECT batch.position FROM event_batch batch
          WHERE batch.organization_id = $1 AND batch.id = e.batch_id
      ) <= $5
) AS again
WHERE kept.organization_id = $1 AND kept.meter_id = $2
  AND kept.customer_id = overlapping.customer_id AND kept.bucket = overlapping.bucket
"""

# Customers with values from before their current period.
_EARLIER = """
    array_agg(DISTINCT customer_id) FILTER (WHERE timestamp < period_start AND value IS NOT NULL)
"""
_OVERLAPPING = f"""
    {_EARLIER} || (SELECT array_agg(customer_id) FROM merged WHERE value_seconds = {OVERLAPPING})
"""


def again_sql(meter: MeterDefinition) -> str:
    """An aggregate of `matched`: the customers whose current period has to be read again.

    `merged` has their states.
    """
    if meter.aggregation.grows():
        return _OVERLAPPING
    return _EARLIER if meter.aggregation.lasts() else "NULL::uuid[]"


async def rebuild_overlapping(
    connection: BaseDBAsyncClient, meter: MeterDefinition, batches: Batches, position: int
) -> None:
    """Makes the states of overlapping events again, after counting batches.

    `position` is that of the last batch.
    """
    if not meter.aggregation.grows() or not batches.ids:
        return
    parameters = Parameters(meter.organization_id, meter.id, batches.ids, batches.months, position)
    statement = _REBUILD.format(
        of_batches=events_of_batches("$3", "$4"),
        predicate=counted_sql(meter, parameters),
        overlapping=OVERLAPPING,
        of_events=VALUE_SECONDS.of_events.format(
            value="counted.value", timestamp="e.timestamp", event_id="e.id"
        ),
        value=counted_value_sql(meter, parameters),
    )
    await connection.execute_query(statement, parameters.values)

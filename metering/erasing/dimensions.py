"""Erases the values of dimensions in usage by dimension, of events whose metadata was erased.

The hours of these events are counted again, for the customer and for all customers: the events
count by the values that they still have. The caller holds the meter's catch-up and the log.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from metering.audit.buckets import Span, rewrite_dimensions
from metering.counting.dimensions import (
    MAXIMUM_COMBINATIONS,
    key_of_texts_sql,
    month_sql,
    texts_sql,
)
from metering.language.definition import MeterDefinition
from metering.language.erased import counted_sql
from metering.language.parameters import Parameters
from metering.usage.windows import HOUR_MINUTES, bucket_of
from models import ALL_CUSTOMERS
from models.meter import CLEARING

_HOUR = timedelta(minutes=HOUR_MINUTES)

# Numbers the combinations that erased events have now, as counting does.
_NUMBER = """
INSERT INTO dimension_combination (
    organization_id, meter_id, customer_id, month, key, combination, texts
)
SELECT $1, $2, customer_id, month, key, combination, texts
FROM (
    SELECT new.*, (
               SELECT count(*) FROM dimension_combination known
               WHERE known.organization_id = $1 AND known.meter_id = $2
                 AND known.customer_id = new.customer_id AND known.month = new.month
           ) + row_number() OVER (PARTITION BY customer_id, month ORDER BY key) AS combination
    FROM (
        SELECT owner.customer_id, found.month, found.texts, {key} AS key
        FROM (
            SELECT DISTINCT {month} AS month, {texts} AS texts FROM event e
            WHERE e.organization_id = $1 AND e.customer_id = $7 AND e.id = ANY($4::uuid[])
              AND e.timestamp >= $5 AND e.timestamp <= $6 AND {counted}
        ) AS found
        CROSS JOIN unnest($3::uuid[]) AS owner (customer_id)
    ) AS new
    WHERE NOT EXISTS (
        SELECT FROM dimension_combination known
        WHERE known.organization_id = $1 AND known.meter_id = $2
          AND known.customer_id = new.customer_id AND known.month = new.month
          AND known.key = new.key
    )
) AS numbered
WHERE combination <= {maximum}
"""

# The numbers stay taken, because new ones follow from how many there are.
_FORGET = """
UPDATE dimension_combination AS known
SET texts = '{}', key = sha256(convert_to('erased ' || known.combination, 'UTF8'))
WHERE known.organization_id = $1 AND known.meter_id = $2 AND known.customer_id = ANY($4::uuid[])
  AND known.month IN (
      SELECT used.month FROM dimension_combination used
      WHERE used.organization_id = $1 AND used.meter_id = $2 AND used.customer_id = $3
  )
  AND known.texts <> '{}'
  AND NOT EXISTS (
      SELECT FROM dimension_bucket kept
      WHERE kept.organization_id = $1 AND kept.meter_id = $2
        AND kept.customer_id = known.customer_id AND kept.combination = known.combination
        AND kept.bucket >= known.month::timestamp AT TIME ZONE 'UTC'
        AND kept.bucket < (known.month + interval '1 month') AT TIME ZONE 'UTC'
  )
"""


async def erase_values(
    connection: BaseDBAsyncClient,
    meter: MeterDefinition,
    customer_id: UUID,
    events: Sequence[Mapping[str, Any]],
) -> None:
    """Counts the hours of erased events by the values that they still have.

    `events` are rows with their `id`, `timestamp` and `name`, in the order of their time.
    """
    events = [event for event in events if _can_match(meter, event["name"])]
    if not events or meter.dimensions_position == CLEARING:
        return
    owners = [customer_id, ALL_CUSTOMERS]
    first, last = events[0]["timestamp"], events[-1]["timestamp"]
    ids = [event["id"] for event in events]
    parameters = Parameters(meter.organization_id, meter.id, owners, ids, first, last, customer_id)
    statement = _NUMBER.format(
        key=key_of_texts_sql("found.texts"),
        month=month_sql("e.timestamp"),
        texts=texts_sql(meter, parameters),
        counted=counted_sql(meter, parameters),
        maximum=MAXIMUM_COMBINATIONS,
    )
    await connection.execute_query(statement, parameters.values)
    hours = {bucket_of(event["timestamp"], HOUR_MINUTES) for event in events}
    for owner in owners:
        span = Span((owner,), min(hours), max(hours) + _HOUR)
        await rewrite_dimensions(connection, meter, span, hours)


async def forget_values(
    connection: BaseDBAsyncClient, meter: MeterDefinition, customer_id: UUID
) -> None:
    """Forgets the combinations of values in which nothing is counted now."""
    await connection.execute_query(
        _FORGET, [meter.organization_id, meter.id, customer_id, [customer_id, ALL_CUSTOMERS]]
    )


def _can_match(meter: MeterDefinition, name: str) -> bool:
    return meter.event_names is None or name in meter.event_names

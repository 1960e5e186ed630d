"""Keeps the usage of every customer in a range, so that the same range need not be added up again.

A kept range is as of a position of the log. A reader adds the events that the meter has counted
since, so the result is exact. `Meter.usage_version` tells whether the meter's usage was rebuilt in
between; the kept range then does not count. A range is kept for meters with many customers only.
"""

from tortoise.backends.base.client import BaseDBAsyncClient

from metering.batches import events_of_batches
from metering.language.definition import MeterDefinition
from metering.language.erased import counted_sql, counted_value_sql
from metering.language.parameters import Parameters, select_list
from metering.months import months_around
from metering.usage.windows import BucketSplit

FEWEST_CUSTOMERS = 1_000
"""With fewer customers of the meter, reading the buckets is fast."""
MOST_CUSTOMERS = 200_000
"""With more customers of the meter, keeping a range takes too long for a request."""

# Per customer of the range, or per FEWEST_CUSTOMERS if it has fewer. With more events than these
# since the range was kept, buckets are faster.
MOST_EVENTS_PER_CUSTOMER = 5
# With so many events, the range is kept again.
DUE_EVENTS_PER_CUSTOMER = 1
# The ranges of a page, in a few time zones.
_RANGES_PER_METER = 16

_AS_OF = """
as_of AS MATERIALIZED (
    SELECT batch.position, batch.events_through AS events
    FROM meter JOIN event_log log ON log.organization_id = $1
    JOIN event_batch batch ON batch.organization_id = $1
        AND batch.position = coalesce(meter.position, log.head)
    WHERE meter.organization_id = $1 AND meter.id = $2 AND meter.usage_version = {version}
)
"""

_KEPT = """
kept AS MATERIALIZED (
    SELECT found.*, as_of.position AS present, as_of.events - found.events AS events_since
    FROM usage_range found CROSS JOIN as_of
    WHERE found.organization_id = $1 AND found.meter_id = $2
      AND found.range_start = {start} AND found.range_end = {end}
      AND found.usage_version = {version}
      AND as_of.events - found.events <= {most} * greatest(found.customers, {fewest})
), since AS MATERIALIZED (
    SELECT array_agg(batch.id ORDER BY batch.id) AS ids
    FROM event_batch batch, kept
    WHERE batch.organization_id = $1
      AND batch.position > kept.position AND batch.position <= kept.present
)
"""

_PARTS = """
    SELECT part.*
    FROM kept CROSS JOIN LATERAL unnest(customer_ids, {arrays}) AS part (customer_id, {columns})
    UNION ALL
    SELECT e.customer_id, {of_events}
    -- By the batches, as in counting: they are a small part of the range.
    FROM {arrived} AS e
    CROSS JOIN LATERAL (SELECT {value} AS value) AS counted
    WHERE e.timestamp >= {start} AND e.timestamp < {end} AND {predicate}
    GROUP BY e.customer_id
"""

_KEEP = """
WITH {ctes}, partial AS (
    {parts}
), merged AS (
    SELECT customer_id, {merged} FROM partial GROUP BY customer_id
)
INSERT INTO usage_range AS present (
    organization_id, meter_id, range_start, range_end, usage_version, position, events, kept_at,
    customers, customer_ids, {columns}
)
SELECT $1, $2, {start}, {end}, {version}, as_of.position, as_of.events, now(),
       count(*), array_agg(customer_id), {arrays}
FROM merged CROSS JOIN as_of
WHERE merged.count > 0
GROUP BY as_of.position, as_of.events
HAVING count(*) > 0
ON CONFLICT (organization_id, meter_id, range_start, range_end) DO UPDATE SET
    usage_version = excluded.usage_version, position = excluded.position,
    events = excluded.events, kept_at = excluded.kept_at, customers = excluded.customers,
    customer_ids = excluded.customer_ids, {replaced}
WHERE (present.usage_version, present.position) < (excluded.usage_version, excluded.position)
RETURNING 1
"""

_DELETE_OTHERS = """
DELETE FROM usage_range
WHERE organization_id = $1 AND meter_id = $2 AND (range_start, range_end) IN (
    SELECT range_start, range_end FROM usage_range
    WHERE organization_id = $1 AND meter_id = $2
    ORDER BY kept_at DESC OFFSET $3
)
RETURNING 1
"""


class KeptRange:
    """The whole buckets of a range of a meter, in SQL; $1 is the organization, $2 the meter."""

    def __init__(self, meter: MeterDefinition, whole: BucketSplit, parameters: Parameters) -> None:
        self._meter = meter
        self._whole = whole
        self._parameters = parameters
        self._names = {
            "start": parameters.add(whole.start, "timestamptz"),
            "end": parameters.add(whole.end, "timestamptz"),
            "version": parameters.add(meter.usage_version, "bigint"),
        }
        due = f"{DUE_EVENTS_PER_CUSTOMER} * greatest(customers, {FEWEST_CUSTOMERS})"
        self.is_due = f"(SELECT events_since >= {due} FROM kept)"

    @property
    def ctes(self) -> str:
        """Reads the kept range, as `kept`: no row if there is none, or if it is far behind."""
        kept = _KEPT.format(most=MOST_EVENTS_PER_CUSTOMER, fewest=FEWEST_CUSTOMERS, **self._names)
        return f"{_AS_OF.format(**self._names)}, {kept}"

    @property
    def parts(self) -> str:
        """A SELECT of states by customer: those that are kept, and those of the events since."""
        aggregation = self._meter.aggregation
        columns = aggregation.state()
        of_events = aggregation.of_events("counted.value", "e.timestamp", "e.id")
        months = months_around(self._whole.start, self._whole.end)
        return _PARTS.format(
            arrived=events_of_batches(
                "(SELECT ids FROM since)", self._parameters.add(tuple(months), "timestamptz[]")
            ),
            arrays=", ".join(f"kept.{column}" for column in columns),
            columns=", ".join(columns),
            of_events=select_list({column: of_events[column] for column in columns}),
            value=counted_value_sql(self._meter, self._parameters),
            predicate=counted_sql(self._meter, self._parameters),
            **self._names,
        )

    def keep(self, parts: str, *, is_new: bool) -> str:
        """A statement that keeps the range, from a SELECT of its states by customer."""
        aggregation = self._meter.aggregation
        columns = aggregation.state()
        of_partials = aggregation.of_partials("partial")
        return _KEEP.format(
            ctes=_AS_OF.format(**self._names) if is_new else self.ctes,
            parts=parts,
            merged=select_list({column: of_partials[column] for column in columns}),
            columns=", ".join(columns),
            arrays=", ".join(f"array_agg({column})" for column in columns),
            replaced=", ".join(f"{column} = excluded.{column}" for column in columns),
            **self._names,
        )


async def can_keep(connection: BaseDBAsyncClient, meter: MeterDefinition) -> bool:
    """Returns whether the meter's number of customers makes it worth keeping its ranges."""
    rows = await connection.execute_query_dict(
        """
        SELECT count(*) AS customers FROM (
            SELECT FROM customer_meter WHERE organization_id = $1 AND meter_id = $2 LIMIT $3
        ) AS counted
        """,
        [meter.organization_id, meter.id, MOST_CUSTOMERS + 1],
    )
    found: int = rows[0]["customers"]
    return FEWEST_CUSTOMERS <= found <= MOST_CUSTOMERS


async def delete_others(connection: BaseDBAsyncClient, meter: MeterDefinition) -> None:
    """Deletes the meter's kept ranges except the newest few."""
    await connection.execute_query_dict(
        _DELETE_OTHERS, [meter.organization_id, meter.id, _RANGES_PER_METER]
    )

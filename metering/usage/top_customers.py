"""Finds the customers with the most usage of a meter in a range.

A range is its whole buckets plus the raw events at its edges. An index gives the buckets of each
customer in the range, so a long history outside of it costs nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from metering.language.definition import MeterDefinition
from metering.language.parameters import Parameters, select_list
from metering.usage.bucket_ranges import edges_of
from metering.usage.edges import edge_events
from metering.usage.windows import Window, split


@dataclass(frozen=True, slots=True)
class CustomerUsage:
    """A customer's quantity."""

    customer_id: UUID
    quantity: Decimal | None


_BUCKETS = """
    SELECT known.customer_id, whole.*
    FROM customer_meter known
    CROSS JOIN LATERAL (
        SELECT {columns}
        FROM {table} kept
        WHERE kept.organization_id = $1 AND kept.meter_id = $2
          AND kept.customer_id = known.customer_id
          AND kept.bucket >= {start} AND kept.bucket < {end}
        {having}
    ) AS whole
    WHERE known.organization_id = $1 AND known.meter_id = $2
"""

_TOP = """
WITH partial AS (
    {buckets}
    {edges}
), merged AS (
    SELECT customer_id, {merged} FROM partial GROUP BY customer_id
), used AS (
    {values}
)
SELECT customer_id, {quantity} AS quantity
FROM (
    SELECT merged.*, coalesce(used.values, 0) AS unique_count
    FROM merged LEFT JOIN used USING (customer_id)
) AS whole
WHERE count > 0
ORDER BY quantity DESC NULLS LAST, customer_id
LIMIT {limit:d}
"""

_NO_VALUES = "SELECT NULL::uuid AS customer_id, 0 AS values WHERE false"

_VALUES = """
    SELECT customer_id, count(*) AS values
    FROM (
        {buckets}
        {edges}
    ) AS seen
    WHERE value IS NOT NULL GROUP BY customer_id
"""


async def top_customers(
    connection: BaseDBAsyncClient, meter: MeterDefinition, window: Window, limit: int
) -> list[CustomerUsage]:
    """Returns at most `limit` customers with a counted event in the window.

    The greatest quantity comes first and null last; equal quantities are in the order of ids.
    """
    parameters = Parameters(meter.organization_id, meter.id)
    aggregation = meter.aggregation
    whole, edges = split(window), edges_of([window], parameters)
    bounds = {
        "start": parameters.add(whole.start, "timestamptz"),
        "end": parameters.add(whole.end, "timestamptz"),
    }

    def of_edges(how: str, columns: Mapping[str, str], grouping: str) -> str:
        if not edges:
            return ""
        selected = select_list({"customer_id": "e.customer_id", **columns})
        events = edge_events(meter, edges, selected, parameters, grouping=grouping)
        return f"{how} SELECT customer_id, {', '.join(columns)} FROM ({events}) AS edge"

    values = _NO_VALUES
    if meter.keeps_values:
        values = _VALUES.format(
            buckets=_BUCKETS.format(
                columns="DISTINCT kept.value", table="usage_value", having="", **bounds
            ),
            edges=of_edges("UNION", {"value": "counted.value"}, ""),
        )
    of_events = aggregation.of_events("counted.value", "e.timestamp", "e.id")
    statement = _TOP.format(
        buckets=_BUCKETS.format(
            columns=select_list(aggregation.of_partials("kept")),
            table="usage_bucket",
            having="HAVING count(*) > 0",
            **bounds,
        ),
        edges=of_edges("UNION ALL", of_events, "GROUP BY e.customer_id"),
        merged=select_list(aggregation.of_partials("partial")),
        values=values,
        quantity=aggregation.quantity_sql("whole"),
        limit=limit,
    )
    rows = await connection.execute_query_dict(statement, parameters.values)
    return [CustomerUsage(**row) for row in rows]

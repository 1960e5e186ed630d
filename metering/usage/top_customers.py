"""Finds the customers with the most usage of a meter in a range.

A range is its whole buckets plus the raw events at its edges. Where many customers use a meter, the
usage of each in the whole buckets is kept (`metering.usage.kept_ranges`). Otherwise an index gives
the buckets of each customer in the range, so a long history outside of it costs nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from metering.archive.boundary import reading_edges
from metering.language.definition import MeterDefinition
from metering.language.parameters import Parameters, select_list
from metering.usage.bucket_ranges import edges_of
from metering.usage.carried import top_carried_sql
from metering.usage.edges import edge_events
from metering.usage.kept_ranges import KeptRange, can_keep, delete_others
from metering.usage.windows import BucketSplit, Window, split
from models import ALL_CUSTOMERS
from waiting.outages import is_outage


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
WITH {ctes} partial AS (
    {parts}
    {edges}
), merged AS (
    SELECT customer_id, {merged} FROM partial GROUP BY customer_id
), used AS (
    {values}
)
SELECT customer_id, {quantity} AS quantity, {is_due} AS is_due
FROM (
    SELECT merged.*, coalesce(used.values, 0) AS unique_count
    FROM merged LEFT JOIN used USING (customer_id)
) AS whole
WHERE count > 0 {condition}
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
    """Returns at most `limit` customers with a counted event in the window, or a carried value.

    The greatest quantity comes first and null last; equal quantities are in the order of ids.
    Raises EventsArchivedError if an edge of the window needs archived events.
    """
    question = _Question(meter, window, limit)
    if meter.aggregation.lasts() and window.start < window.end:
        return await question.from_carried(connection)
    if meter.keeps_values or question.whole.start == question.whole.end:
        return await question.from_buckets(connection)
    found = await question.from_kept_range(connection)
    if not found and await can_keep(connection, meter):
        await question.keep(connection)
        found = await question.from_kept_range(connection)
    # A kept range has customers, so if none is found, there is no kept range.
    return found or await question.from_buckets(connection)


class _Question:
    """The statements for one meter and window."""

    def __init__(self, meter: MeterDefinition, window: Window, limit: int) -> None:
        self._meter = meter
        self._window = window
        self._limit = limit
        self.whole: BucketSplit = split(window)

    async def from_buckets(self, connection: BaseDBAsyncClient) -> list[CustomerUsage]:
        """Adds up the buckets of each customer."""
        parameters = self._parameters()
        rows = await self._run(connection, self._top(parameters), parameters)
        return [CustomerUsage(row["customer_id"], row["quantity"]) for row in rows]

    async def from_carried(self, connection: BaseDBAsyncClient) -> list[CustomerUsage]:
        """Adds up the buckets of each customer, and what is carried over from before."""
        parameters = Parameters(self._meter.organization_id, ALL_CUSTOMERS)
        statement = top_carried_sql(self._meter, self._window, self._limit, parameters)
        rows = await self._run(connection, statement, parameters)
        return [CustomerUsage(row["customer_id"], row["quantity"]) for row in rows]

    async def from_kept_range(self, connection: BaseDBAsyncClient) -> list[CustomerUsage]:
        """Reads the kept range and the events since; nothing if there is no kept range."""
        parameters = self._parameters()
        kept = KeptRange(self._meter, self.whole, parameters)
        rows = await self._run(connection, self._top(parameters, kept), parameters)
        if rows and rows[0]["is_due"]:
            await self.keep(connection, is_new=False)
        return [CustomerUsage(row["customer_id"], row["quantity"]) for row in rows]

    async def keep(self, connection: BaseDBAsyncClient, *, is_new: bool = True) -> None:
        """Keeps the range, from the buckets or else from what is kept; not if that is impossible.

        A database that is read-only or full answers questions all the same.
        """
        parameters = self._parameters()
        kept = KeptRange(self._meter, self.whole, parameters)
        parts = self._buckets(parameters) if is_new else kept.parts
        try:
            await self._run(connection, kept.keep(parts, is_new=is_new), parameters)
            if is_new:
                await delete_others(connection, self._meter)
        except Exception as error:
            if not is_outage(error):
                raise

    def _parameters(self) -> Parameters:
        return Parameters(self._meter.organization_id, self._meter.id)

    async def _run(
        self, connection: BaseDBAsyncClient, statement: str, parameters: Parameters
    ) -> list[dict[str, Any]]:
        with reading_edges("quarter hours"):
            return await connection.execute_query_dict(statement, parameters.values)

    def _top(self, parameters: Parameters, kept: KeptRange | None = None) -> str:
        meter, aggregation = self._meter, self._meter.aggregation
        edges = edges_of([self._window], parameters)

        def of_edges(how: str, columns: Mapping[str, str], grouping: str) -> str:
            if not edges:
                return ""
            selected = select_list({"customer_id": "e.customer_id", **columns})
            events = edge_events(meter, edges, selected, parameters, grouping=grouping)
            return f"{how} SELECT customer_id, {', '.join(columns)} FROM ({events}) AS edge"

        values = _NO_VALUES
        if meter.keeps_values:
            values = _VALUES.format(
                buckets=self._buckets(parameters, "usage_value"),
                edges=of_edges("UNION", {"value": "counted.value"}, ""),
            )
        of_events = aggregation.of_events("counted.value", "e.timestamp", "e.id")
        of_partials = aggregation.of_partials("partial")
        return _TOP.format(
            ctes=f"{kept.ctes}," if kept else "",
            parts=kept.parts if kept else self._buckets(parameters),
            edges=of_edges(
                "UNION ALL",
                {column: of_events[column] for column in aggregation.state()},
                "GROUP BY e.customer_id",
            ),
            merged=select_list({column: of_partials[column] for column in aggregation.state()}),
            values=values,
            quantity=aggregation.quantity_sql("whole"),
            is_due=kept.is_due if kept else "false",
            condition="AND EXISTS (SELECT FROM kept)" if kept else "",
            limit=self._limit,
        )

    def _buckets(self, parameters: Parameters, table: str = "usage_bucket") -> str:
        aggregation = self._meter.aggregation
        of_partials = aggregation.of_partials("kept")
        states = select_list({column: of_partials[column] for column in aggregation.state()})
        is_of_values = table == "usage_value"
        return _BUCKETS.format(
            columns="DISTINCT kept.value" if is_of_values else states,
            table=table,
            having="" if is_of_values else "HAVING count(*) > 0",
            start=parameters.add(self.whole.start, "timestamptz"),
            end=parameters.add(self.whole.end, "timestamptz"),
        )

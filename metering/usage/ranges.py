"""Reads quantities of meters over a range: in total, and interval by interval.

A range is its whole buckets plus the raw events at its edges. One statement reads both for all
meters, so they are of one snapshot. An edge includes the batches up to the meter's position, as the
buckets do.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from metering.archive.boundary import reading_edges
from metering.language.aggregations import AggregationFunction
from metering.language.definition import MeterDefinition
from metering.language.parameters import Parameters, select_list
from metering.usage.bucket_ranges import edges_of, whole_buckets
from metering.usage.carried import TOTAL, carried_usage_sql
from metering.usage.edges import edge_events
from metering.usage.windows import Window
from models import ALL_CUSTOMERS


class Quantity(NamedTuple):
    """A quantity, and how many events it comes from: `skipped` ones matched without a value."""

    quantity: Decimal | None
    counted: int = 0
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class Quantities:
    """The quantities of the windows, and the quantity over all of them."""

    points: tuple[Quantity, ...]
    total: Quantity


# One row for each meter: reading a row for each point would take longer than computing it.
_USAGE = """(
WITH partial AS (
    {partials}
), merged AS (
    SELECT meter_id, coalesce(ordinal, {total}) AS ordinal, {merged}
    FROM partial GROUP BY GROUPING SETS ((meter_id, ordinal), (meter_id))
) {values}
SELECT meter_id, array_agg(ordinal), array_agg({quantity}), array_agg(count), array_agg(skipped)
FROM {merged_rows} AS whole
GROUP BY meter_id
)"""

_VALUES = """
, used AS (
    {used}
), distinct_values AS (
    SELECT meter_id, ordinal, count(value) AS unique_count FROM used GROUP BY meter_id, ordinal
    UNION ALL
    SELECT meter_id, {total}, count(DISTINCT value) FROM used GROUP BY meter_id
)
"""

_MERGED_WITH_VALUES = """(
    SELECT merged.*, coalesce(unique_count, 0) AS unique_count
    FROM merged LEFT JOIN distinct_values USING (meter_id, ordinal)
)"""

_NO_COLUMNS: Sequence[Sequence[Any]] = ((), (), (), ())


class _Parts(NamedTuple):
    """The windows in SQL: their whole buckets, and their edges if there are any."""

    whole: Callable[..., str]
    edges: str

    @classmethod
    def of(cls, windows: Sequence[Window], parameters: Parameters) -> "_Parts":
        return cls(whole_buckets(windows, parameters), edges_of(windows, parameters))


async def usage(
    connection: BaseDBAsyncClient,
    meter: MeterDefinition,
    windows: Sequence[Window],
    customer_id: UUID | None = None,
) -> Quantities:
    """Reads the quantities of all customers or of one, in each window and over all windows.

    `windows` follow each other without gaps, as those of `metering.usage.windows` do.
    """
    [used] = await usage_of_meters(connection, [meter], windows, customer_id)
    return used


async def usage_of_meters(
    connection: BaseDBAsyncClient,
    meters: Sequence[MeterDefinition],
    windows: Sequence[Window],
    customer_id: UUID | None = None,
) -> list[Quantities]:
    """Reads the quantities of several meters of an organization, in order, by one statement.

    A meter may occur more than once. Raises EventsArchivedError if an edge of the range needs
    archived events.
    """
    alike: dict[tuple[AggregationFunction, bool], list[MeterDefinition]] = {}
    # Each meter once: a statement that had it twice would count its edges twice.
    for meter in {meter.id: meter for meter in meters}.values():
        aggregation = meter.aggregation
        alike.setdefault((aggregation.function, aggregation.lasts()), []).append(meter)
    found: dict[UUID, Sequence[Sequence[Any]]] = {}
    if alike and windows:
        parameters = Parameters(meters[0].organization_id, customer_id or ALL_CUSTOMERS)
        # Always in the same order, so that the statement is prepared only once.
        groups = [(lasts, group) for (_, lasts), group in sorted(alike.items())]
        statements = [
            carried_usage_sql(group, windows, customer_id, parameters)
            for lasts, group in groups
            if lasts
        ]
        if any(not lasts for lasts, _ in groups):
            parts = _Parts.of(windows, parameters)
            statements += (
                _statement(group, parts, customer_id, parameters)
                for lasts, group in groups
                if not lasts
            )
        statement = " UNION ALL ".join(statements)
        with reading_edges("quarter hours"):
            _, rows = await connection.execute_query(statement, parameters.values)
        found = {meter_id: columns for meter_id, *columns in rows}
    return [
        quantities_of(meter.aggregation.function, found.get(meter.id, _NO_COLUMNS), len(windows))
        for meter in meters
    ]


def usage_sql(
    meter: MeterDefinition,
    windows: Sequence[Window],
    customer_id: UUID | None,
    parameters: Parameters,
) -> str:
    """Writes a statement that reads a meter's quantities, as a row for `quantities_of`.

    $1 is the organization, $2 the customer or ALL_CUSTOMERS. The first column is the meter's id.
    """
    return _statement([meter], _Parts.of(windows, parameters), customer_id, parameters)


def quantities_of(
    function: AggregationFunction, columns: Sequence[Sequence[Any]], windows: int
) -> Quantities:
    """Reads the quantities of so many windows from arrays: ordinals, and the fields of Quantity."""
    ordinals, *fields = columns
    found = dict(zip(ordinals, map(Quantity._make, zip(*fields, strict=True)), strict=True))
    nothing = Quantity(function.calculation.of_nothing)
    points = tuple(found.get(ordinal, nothing) for ordinal in range(1, windows + 1))
    return Quantities(points, found.get(TOTAL, nothing))


def _statement(
    meters: Sequence[MeterDefinition],
    parts: _Parts,
    customer_id: UUID | None,
    parameters: Parameters,
) -> str:
    """Writes the statement for meters with the same function."""
    aggregation = meters[0].aggregation
    ids = parameters.add(tuple(meter.id for meter in meters), "uuid[]")
    of_events = aggregation.of_events("counted.value", "e.timestamp", "e.id")
    of_customer = "" if customer_id is None else "AND e.customer_id = $2"

    def union(how: str, table: str, whole: str, edge: str, distinct: tuple[str, ...] = ()) -> str:
        buckets = parts.whole(meters=ids, table=table, columns=whole, distinct=distinct)
        events = [
            edge_events(meter, parts.edges, edge, parameters, condition=of_customer)
            for meter in (meters if parts.edges else ())
        ]
        return how.join([buckets, *events])

    values, merged_rows = "", "merged"
    if aggregation.calculation().keeps_values:
        value = "kept.value"
        used = union(" UNION ", "usage_value", value, "counted.value", distinct=(value,))
        values, merged_rows = _VALUES.format(used=used, total=TOTAL), _MERGED_WITH_VALUES
    return _USAGE.format(
        partials=union(
            " UNION ALL ",
            "usage_bucket",
            select_list(aggregation.of_partials("kept")),
            select_list(of_events),
        ),
        values=values,
        merged=select_list(aggregation.of_partials("partial")),
        merged_rows=merged_rows,
        quantity=aggregation.quantity_sql("whole"),
        total=TOTAL,
    )

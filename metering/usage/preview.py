"""What a meter would count, before there is one: its filter and aggregation over raw events."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from asyncpg import QueryCanceledError
from tortoise.transactions import in_transaction

from metering.language.aggregations import Aggregation, AggregationFunction, quantity_sql
from metering.language.filters import Filter
from metering.language.parameters import Parameters
from metering.language.partials import partial_sql, select_list
from metering.language.predicates import predicate_sql
from metering.language.properties import json_sql, property_of
from metering.usage.scanning import ON_ONE_PROCESSOR

PREVIEW_SECONDS = 5.0


class PreviewTimeoutError(RuntimeError):
    """The preview looked at too many events and was cut off; the message says so to the caller."""


@dataclass(frozen=True, slots=True)
class PreviewScope:
    """Which events are looked at: happened in [start, end), of a customer; None does not limit."""

    start: datetime | None = None
    end: datetime | None = None
    customer_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """The counts of a preview; `skipped` events are among the `matched`."""

    matched: int
    skipped: int
    quantity: Decimal | None


_PREVIEW = """
WITH partial AS ({partial})
SELECT count + skipped AS matched, skipped, {quantity} AS quantity FROM partial
"""

# OFFSET 0 has a value read from the metadata once, not once for each aggregate that takes it.
_MATCHED = "(SELECT {value} AS value FROM event e WHERE {where} OFFSET 0) AS matched"
_PARTIAL = "SELECT {columns} FROM {matched}"

# Both say the same as `metering.language.partials`, without sorting all that matches.
_UNIQUE = """
    SELECT coalesce(sum(events) FILTER (WHERE value IS NOT NULL), 0)::bigint AS count,
           coalesce(sum(events) FILTER (WHERE value IS NULL), 0)::bigint AS skipped,
           count(value) AS unique_count
    FROM (SELECT value, count(*) AS events FROM {matched} GROUP BY value) AS seen
"""
_LATEST = """
    SELECT count(value) AS count, count(*) - count(value) AS skipped, (
        SELECT {value} FROM event e WHERE {where} AND {value} IS NOT NULL
        ORDER BY e.timestamp DESC, e.id DESC LIMIT 1
    ) AS latest_value
    FROM {matched}
"""

# A plan for any range would be one for a short one.
_SETTINGS = f"""
    {ON_ONE_PROCESSOR}, set_config('statement_timeout', $1, true),
           set_config('plan_cache_mode', 'force_custom_plan', true)
"""


async def preview(
    organization_id: UUID,
    filter_: Filter,
    aggregation: Aggregation,
    scope: PreviewScope,
    *,
    seconds: float = PREVIEW_SECONDS,
) -> Preview:
    """Aggregates the stored events that the filter matches, counted by meters already or not.

    Raises PreviewTimeoutError where that takes longer than `seconds`.
    """
    parameters = Parameters()
    statement = _PREVIEW.format(
        partial=_partial(
            aggregation,
            _value_sql(aggregation, parameters),
            where_sql(organization_id, filter_, scope, parameters),
        ),
        quantity=quantity_sql(aggregation.function, "partial"),
    )
    try:
        async with in_transaction() as connection:
            await connection.execute_query_dict(_SETTINGS, [f"{seconds * 1000:.0f}ms"])
            rows = await connection.execute_query_dict(statement, parameters.values)
    except QueryCanceledError:
        raise PreviewTimeoutError(
            f"The preview was cut off after {seconds:g} seconds: name an event in the filter, or"
            " take a shorter range."
        ) from None
    return Preview(**rows[0])


def _value_sql(aggregation: Aggregation, parameters: Parameters) -> str:
    """As `Aggregation.value_sql`; of UNIQUE the values themselves, which nobody keeps here.

    jsonb groups as the keys do, and to make those of all events takes longer than to group them.
    """
    if aggregation.function is AggregationFunction.UNIQUE and aggregation.property is not None:
        value = json_sql(property_of(aggregation.property), parameters)
        return f"NULLIF({value}, 'null'::jsonb)"
    return aggregation.value_sql(parameters)


def _partial(aggregation: Aggregation, value: str, where: str) -> str:
    matched = _MATCHED.format(value=value, where=where)
    match aggregation.function:
        case AggregationFunction.UNIQUE:
            return _UNIQUE.format(matched=matched)
        case AggregationFunction.LATEST:
            return _LATEST.format(matched=matched, value=value, where=where)
        case _:
            partial = partial_sql(aggregation, "value", "timestamp", "id")
            return _PARTIAL.format(columns=select_list(partial), matched=matched)


def where_sql(
    organization_id: UUID, filter_: Filter, scope: PreviewScope, parameters: Parameters
) -> str:
    """The condition on event `e` that a preview counts, also for listing those events."""
    conditions = [f"e.organization_id = {parameters.add(organization_id, 'uuid')}"]
    if scope.customer_id is not None:
        conditions.append(f"e.customer_id = {parameters.add(scope.customer_id, 'uuid')}")
    if scope.start is not None:
        conditions.append(f"e.timestamp >= {parameters.add(scope.start, 'timestamptz')}")
    if scope.end is not None:
        conditions.append(f"e.timestamp < {parameters.add(scope.end, 'timestamptz')}")
    return " AND ".join([*conditions, predicate_sql(filter_, parameters)])

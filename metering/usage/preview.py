"""Previews of a meter: its filter and aggregation over the raw events, before it exists."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from asyncpg import QueryCanceledError
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.transactions import in_transaction

from metering.language.aggregations import Aggregation
from metering.language.filters import Filter
from metering.language.parameters import Parameters, select_list
from metering.language.predicates import predicate_sql

PREVIEW_SECONDS = 5.0

ON_ONE_PROCESSOR = "SELECT set_config('max_parallel_workers_per_gather', '0', true)"
"""Keeps a statement that reads many events on one processor of the database, in a transaction."""


class PreviewTimeoutError(RuntimeError):
    """The preview took too long and was cut off. The message is for the caller."""


@dataclass(frozen=True, slots=True)
class PreviewSelection:
    """Selects the events of a customer in [start, end). None means any."""

    start: datetime | None = None
    end: datetime | None = None
    customer_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """The result of a preview. The `matched` events include the `skipped`."""

    matched: int
    skipped: int
    quantity: Decimal | None


_PREVIEW = """
WITH partial AS ({partial})
SELECT count + skipped AS matched, skipped, {quantity} AS quantity FROM partial
"""

# OFFSET 0: a value is read from the metadata once, not once for each aggregate that uses it.
_MATCHED = (
    "(SELECT e.id, e.timestamp, {value} AS value FROM event e WHERE {where} OFFSET 0) AS matched"
)

# A generic plan would be good for short ranges only.
_SETTINGS = f"""
    {ON_ONE_PROCESSOR}, set_config('statement_timeout', $1, true),
           set_config('plan_cache_mode', 'force_custom_plan', true)
"""


async def preview(
    organization_id: UUID,
    filter_: Filter,
    aggregation: Aggregation,
    selection: PreviewSelection,
    *,
    seconds: float = PREVIEW_SECONDS,
) -> Preview:
    """Aggregates all stored events that the filter matches, pending ones included.

    Raises PreviewTimeoutError if that takes longer than `seconds`.
    """
    parameters = Parameters()
    value = aggregation.value_sql(parameters, is_preview=True)
    where = where_sql(organization_id, filter_, selection, parameters)
    matched = _MATCHED.format(value=value, where=where)
    select = f"SELECT {select_list(aggregation.of_events())} FROM {{matched}}"
    faster = aggregation.function.calculation.preview
    partial = (faster or select).format(matched=matched, value=value, where=where)
    statement = _PREVIEW.format(partial=partial, quantity=aggregation.quantity_sql("partial"))
    async with previewing(seconds) as connection:
        rows = await connection.execute_query_dict(statement, parameters.values)
    return Preview(**rows[0])


@asynccontextmanager
async def previewing(seconds: float) -> AsyncIterator[BaseDBAsyncClient]:
    """Opens a transaction for a preview's statements, each of which is cut off after `seconds`.

    Raises PreviewTimeoutError if one is cut off.
    """
    try:
        async with in_transaction() as connection:
            await connection.execute_query_dict(_SETTINGS, [f"{seconds * 1000:.0f}ms"])
            yield connection
    except QueryCanceledError:
        raise PreviewTimeoutError(
            f"The preview took longer than {seconds:g} seconds: filter by an event name, or choose"
            " a shorter range."
        ) from None


def where_sql(
    organization_id: UUID, filter_: Filter, selection: PreviewSelection, parameters: Parameters
) -> str:
    """Writes the condition on event `e`."""
    conditions = [f"e.organization_id = {parameters.add(organization_id, 'uuid')}"]
    if selection.customer_id is not None:
        conditions.append(f"e.customer_id = {parameters.add(selection.customer_id, 'uuid')}")
    if selection.start is not None:
        conditions.append(f"e.timestamp >= {parameters.add(selection.start, 'timestamptz')}")
    if selection.end is not None:
        conditions.append(f"e.timestamp < {parameters.add(selection.end, 'timestamptz')}")
    return " AND ".join([*conditions, predicate_sql(filter_, parameters)])

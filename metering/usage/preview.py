"""Previews of a meter: its filter and aggregation over the raw events, before it exists."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from asyncpg import QueryCanceledError
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.transactions import in_transaction

from metering.archive.boundary import events_from
from metering.language.aggregations import Aggregation, AggregationFunction
from metering.language.erased import unerased_sql
from metering.language.filters import Filter
from metering.language.instants import format_instant
from metering.language.parameters import Parameters, select_list
from metering.language.voided import IS_VOIDED
from metering.usage.carried import TOTAL, known_sql, quantities_sql
from metering.usage.windows import EventsArchivedError, Window

PREVIEW_SECONDS = 5.0

ON_ONE_PROCESSOR = "SELECT set_config('max_parallel_workers_per_gather', '0', true)"
"""Keeps a statement that reads many events on one processor of the database, in a transaction."""


class PreviewTimeoutError(RuntimeError):
    """The preview took too long and was cut off. The message is for the caller."""


@dataclass(frozen=True, slots=True)
class PreviewSelection:
    """Selects the events of a customer in [start, end). None means any.

    Those from before `stored_from` are archived and cannot be read.
    """

    start: datetime | None = None
    end: datetime | None = None
    customer_id: UUID | None = None
    stored_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """The result of a preview. The `matched` events include the `skipped`.

    Events from before `events_from` are archived and left out; None if none are.
    """

    matched: int
    skipped: int
    quantity: Decimal | None
    events_from: datetime | None = None


_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)

_PREVIEW = """
WITH partial AS ({partial})
SELECT count + skipped AS matched, skipped, {quantity} AS quantity FROM partial
"""

# OFFSET 0: a value is read from the metadata once, not once for each aggregate that uses it.
_MATCHED = (
    "(SELECT e.id, e.timestamp, {value} AS value FROM event e WHERE {where} OFFSET 0) AS matched"
)

# Of a meter that carries over, the window 0 is all time before. The latest value of all customers
# is that of the latest event.
_CARRIED = """
WITH matched AS MATERIALIZED (
    SELECT {stream} AS customer_id, width_bucket(e.timestamp, {starts}) AS ordinal, e.id,
           e.timestamp, {value} AS value
    FROM event e WHERE {where}
), state AS (
    SELECT true AS key, customer_id, ordinal, {state} FROM matched GROUP BY customer_id, ordinal
), {quantities}, counts AS (
    SELECT coalesce(ordinal, {total}) AS ordinal, sum(count)::bigint AS counted,
           sum(skipped)::bigint AS skipped
    FROM state WHERE ordinal > 0 GROUP BY GROUPING SETS ((ordinal), ())
)
SELECT ordinal, {known} AS quantity, coalesce(counted, 0) AS counted,
       coalesce(skipped, 0) AS skipped
FROM quantities FULL JOIN counts USING (ordinal)
"""

_CARRIED_TOTAL = """
SELECT coalesce(sum(counted + skipped), 0)::bigint AS matched,
       coalesce(sum(skipped), 0)::bigint AS skipped, coalesce(min(quantity), {nothing}) AS quantity
FROM ({series}) AS series WHERE ordinal = {total}
"""

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

    Raises PreviewTimeoutError if that takes longer than `seconds`, and EventsArchivedError if the
    selection starts before the events that are stored.
    """
    async with previewing(seconds) as connection:
        stored = await stored_part(connection, selection)
        statement, values = _statement(organization_id, filter_, aggregation, stored)
        rows = await connection.execute_query_dict(statement, values)
        await check_still_stored(connection, stored)
    is_cut = selection.start is None or aggregation.carries_over
    return Preview(**rows[0], events_from=stored.stored_from if is_cut else None)


def _statement(
    organization_id: UUID,
    filter_: Filter,
    aggregation: Aggregation,
    selection: PreviewSelection,
) -> tuple[str, list[Any]]:
    parameters = Parameters()
    value = aggregation.value_sql(parameters, is_preview=True)
    where = where_sql(organization_id, filter_, selection, parameters)
    matched = _MATCHED.format(value=value, where=where)
    select = f"SELECT {select_list(aggregation.of_events())} FROM {{matched}}"
    faster = aggregation.function.calculation.preview
    partial = (faster or select).format(matched=matched, value=value, where=where)
    statement = _PREVIEW.format(partial=partial, quantity=aggregation.quantity_sql("partial"))
    is_empty = selection.start == selection.end
    if aggregation.lasts() and not is_empty:
        parameters = Parameters()
        windows = [Window(selection.start or _FIRST, selection.end or _LAST)]
        nothing = aggregation.calculation().of_nothing
        series = carried_preview_sql(
            organization_id, filter_, aggregation, selection, windows, parameters
        )
        statement = _CARRIED_TOTAL.format(
            series=series,
            total=TOTAL,
            nothing="NULL" if nothing is None else nothing,
        )
    return statement, parameters.values


async def stored_part(
    connection: BaseDBAsyncClient, selection: PreviewSelection
) -> PreviewSelection:
    """Returns the selection without events that are archived.

    Raises EventsArchivedError if it starts before the others.
    """
    start = await events_from(connection)
    if start is not None and selection.start is not None and selection.start < start:
        raise EventsArchivedError(
            "start",
            f"Events from before {format_instant(start)} are archived. Leave out `start` to read "
            "all that are not.",
        )
    return replace(selection, stored_from=start)


async def check_still_stored(connection: BaseDBAsyncClient, stored: PreviewSelection) -> None:
    """Raises EventsArchivedError if more was archived since `stored_part` was called."""
    if await events_from(connection) != stored.stored_from:
        raise EventsArchivedError("start", "Events have just been archived. Try again.")


def carried_preview_sql(  # each argument is a part of the question
    organization_id: UUID,
    filter_: Filter,
    aggregation: Aggregation,
    selection: PreviewSelection,
    windows: Sequence[Window],
    parameters: Parameters,
) -> str:
    """Writes a statement that reads the quantities of these windows.

    The values of the aggregation last, so events from before the first one are read too.
    """
    is_of_all = aggregation.function is AggregationFunction.LATEST
    return _CARRIED.format(
        stream="NULL::uuid" if is_of_all else "e.customer_id",
        starts=parameters.add(tuple(window.start for window in windows), "timestamptz[]"),
        value=aggregation.value_sql(parameters, is_preview=True),
        where=where_sql(organization_id, filter_, replace(selection, start=None), parameters),
        state=select_list(aggregation.of_events()),
        quantities=quantities_sql(
            aggregation, windows, parameters, keys=("key",), streams=("customer_id",)
        ),
        known=known_sql(aggregation),
        total=TOTAL,
    )


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
    if selection.stored_from is not None:
        stored_from = parameters.add(selection.stored_from, "timestamptz")
        conditions.append(f"e.timestamp >= {stored_from}")
    if selection.end is not None:
        conditions.append(f"e.timestamp < {parameters.add(selection.end, 'timestamptz')}")
    return " AND ".join([*conditions, f"NOT {IS_VOIDED}", unerased_sql(filter_, parameters)])

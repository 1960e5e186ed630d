"""Counts history into meters that are behind the log: new, unarchived and failed ones.

A chunk of history is counted without the log's lock, so live meters go on meanwhile. The lock is
taken only to merge the result and to move the meter's position. A short rest of the log is counted
under the lock, and the meter is live from then on.

Usage by dimension is counted along with the totals if it is at the same position. If it is behind a
live meter, because the dimensions changed, the same steps count it alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from uuid import UUID

import structlog
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection
from tortoise.transactions import in_transaction

from metering.batches import Batches
from metering.counting.clearing import clear_dimensions
from metering.counting.customer_meters import PeriodChangedError, check_periods, merge_increments
from metering.counting.failures import COUNTING_ERRORS, fails_again, note_problem, reason_of
from metering.counting.log import LogState, lock_log, next_revision
from metering.counting.overlapping import rebuild_overlapping
from metering.counting.rollup import UsageIncrement, add_to_totals, count_batches, count_dimensions
from metering.language.definition import METER_COLUMNS, MeterDefinition, meter_definition
from metering.months import months_around
from metering.usage.periods import begin_again
from models.meter import CLEARING

_log = structlog.get_logger(__name__)

CHUNK_EVENTS = 5_000
CHUNK_BATCHES = 5_000
# At most this many events are counted while the log's lock is held.
LAST_STRETCH_EVENTS = 1_000
_KEY = "hashtextextended($1::text, 0)"


IS_BEHIND = """(
    (position IS NOT NULL OR dimensions_position IS NOT NULL)
    AND archived_at IS NULL AND (retry_at IS NULL OR retry_at <= now())
)"""
"""Whether a row of `meter` has to catch up now, and is not pausing after a failure."""


class _MeterChangedError(RuntimeError):
    """The meter was edited or archived while a chunk was counted."""


class Chunk(Enum):
    """The outcome of a chunk of history."""

    NOTHING = "nothing to do now: another worker is counting, or counting failed"
    INTERRUPTED = "try again: the meter or a period changed"
    COUNTED = "counted, and there is more"
    LAST = "counted, and the meter is live"

    @property
    def is_counted(self) -> bool:
        """Whether numbers have changed."""
        return self in {Chunk.COUNTED, Chunk.LAST}

    @property
    def is_more(self) -> bool:
        """Whether the next chunk can be counted at once."""
        return self in {Chunk.INTERRUPTED, Chunk.COUNTED}


@dataclass(frozen=True, slots=True)
class _BatchRange:
    """Batches of the log up to `upper`; `batches` are those that can concern the meter."""

    batches: Batches
    upper: int


async def meters_behind(organization_id: UUID) -> list[UUID]:
    """Returns the meters that have to catch up now, oldest first."""
    rows = await get_connection("default").execute_query_dict(
        f"SELECT id FROM meter WHERE organization_id = $1 AND {IS_BEHIND} ORDER BY id",
        [organization_id],
    )
    return [row["id"] for row in rows]


async def catch_up(organization_id: UUID, meter_id: UUID) -> Chunk:
    """Counts the next chunk of history for a meter."""
    try:
        return await _catch_up(organization_id, meter_id)
    except (_MeterChangedError, PeriodChangedError):
        return Chunk.INTERRUPTED
    except COUNTING_ERRORS as error:
        if not fails_again(error):
            raise
        where = {"organization_id": str(organization_id), "meter_id": str(meter_id)}
        message = "meter stays behind, because counting fails"
        _log.error(message, reason=reason_of(error), **where)
        async with in_transaction() as connection:
            await note_problem(connection, organization_id, meter_id, error)
        return Chunk.NOTHING


async def _catch_up(organization_id: UUID, meter_id: UUID) -> Chunk:
    async with in_transaction() as connection:
        if not await _claim(connection, meter_id):
            return Chunk.NOTHING
        meter = await read_meter(connection, organization_id, meter_id)
        if meter is None or not meter.is_behind:
            return Chunk.NOTHING
        if meter.dimensions_position == CLEARING:
            if not await clear_dimensions(connection, meter):
                await _lock_unchanged(connection, meter)
                await _move(connection, meter, meter.position, 0 if meter.dimensions else None)
            return Chunk.COUNTED
        is_of_totals = meter.position is not None
        chunk = await _next_chunk(connection, meter, _behind_at(meter))
        increments = await _count(connection, meter, chunk)
        state = await _lock_unchanged(connection, meter)
        revision = await next_revision(connection, organization_id) if is_of_totals else 0
        await _merge(connection, meter, increments, revision, chunk.upper)
        position: int | None = chunk.upper
        if chunk.upper < state.head:
            rest = await _last_stretch(connection, meter, chunk.upper)
            if rest.upper == state.head:
                increments = await _count(connection, meter, rest)
                await _merge(connection, meter, increments, revision, rest.upper)
                position = None
        else:
            position = None
        is_of_dimensions = meter.counts_dimensions or not is_of_totals
        dimensions_position = position if is_of_dimensions else meter.dimensions_position
        await _move(connection, meter, position if is_of_totals else None, dimensions_position)
        is_last = position is None and dimensions_position is None
        return Chunk.LAST if is_last else Chunk.COUNTED


def _behind_at(meter: MeterDefinition) -> int:
    """The position from which history is counted: of the totals first."""
    position = meter.dimensions_position if meter.position is None else meter.position
    if position is None:
        raise ValueError("a live meter has no history to count")
    return position


async def _count(
    connection: BaseDBAsyncClient, meter: MeterDefinition, chunk: _BatchRange
) -> list[UsageIncrement]:
    if meter.position is None:
        await count_dimensions(connection, meter, chunk.batches)
        return []
    increments = await count_batches(
        connection, meter, chunk.batches, with_dimensions=meter.counts_dimensions
    )
    await rebuild_overlapping(connection, meter, chunk.batches, chunk.upper)
    return increments


async def _lock_unchanged(connection: BaseDBAsyncClient, meter: MeterDefinition) -> LogState:
    """Takes the log's lock. Raises _MeterChangedError if the meter is not as it was read."""
    state = await lock_log(connection, meter.organization_id)
    if await read_meter(connection, meter.organization_id, meter.id, "FOR UPDATE") != meter:
        raise _MeterChangedError
    return state


async def _move(
    connection: BaseDBAsyncClient,
    meter: MeterDefinition,
    position: int | None,
    dimensions_position: int | None,
) -> None:
    await connection.execute_query(
        """
        UPDATE meter
        SET position = $2, dimensions_position = $3,
            problem = NULL, failing_since = NULL, retry_at = NULL
        WHERE organization_id = $4 AND id = $1
        """,
        [meter.id, position, dimensions_position, meter.organization_id],
    )


async def _merge(
    connection: BaseDBAsyncClient,
    meter: MeterDefinition,
    increments: Sequence[UsageIncrement],
    revision: int,
    position: int,
) -> None:
    if not increments:
        return
    await check_periods(connection, meter.organization_id, increments)
    counted = sum(increment.count for increment in increments)
    skipped = sum(increment.skipped for increment in increments)
    await add_to_totals(connection, meter, counted, skipped)
    await merge_increments(connection, meter, increments, revision)
    if meter.aggregation.lasts():
        grows = meter.aggregation.grows()
        again = {each.customer_id for each in increments if grows or not each.in_period}
        await begin_again(connection, meter, position, again, revision)


async def hold_catch_up(connection: BaseDBAsyncClient, meter_id: UUID) -> None:
    """Keeps the meter from catching up until the end of the transaction; waits for a chunk.

    Call it before taking the log's lock if you change `usage_bucket`: a chunk may hold rows there
    while it waits for that lock.
    """
    await connection.execute_query(
        f"SELECT pg_advisory_xact_lock({_KEY})", [f"catch_up:{meter_id}"]
    )


async def _claim(connection: BaseDBAsyncClient, meter_id: UUID) -> bool:
    """Tries to become the only transaction that catches this meter up.

    An advisory lock, because the holder of the log's lock needs the meter's row.
    """
    rows = await connection.execute_query_dict(
        f"SELECT pg_try_advisory_xact_lock({_KEY}) AS claimed", [f"catch_up:{meter_id}"]
    )
    return bool(rows[0]["claimed"])


async def read_meter(
    connection: BaseDBAsyncClient, organization_id: UUID, meter_id: UUID, lock: str = ""
) -> MeterDefinition | None:
    """Reads the meter, unless it is archived; `lock` may be FOR UPDATE."""
    rows = await connection.execute_query_dict(
        f"""
        SELECT {METER_COLUMNS} FROM meter
        WHERE organization_id = $1 AND id = $2 AND archived_at IS NULL {lock}
        """,
        [organization_id, meter_id],
    )
    return meter_definition(rows[0]) if rows else None


async def _next_chunk(
    connection: BaseDBAsyncClient, meter: MeterDefinition, lower: int
) -> _BatchRange:
    """Returns the batches after `lower` that begin within CHUNK_EVENTS: at least one."""
    return await _batch_range(connection, meter, lower, "events_before < $4", CHUNK_EVENTS)


async def _last_stretch(
    connection: BaseDBAsyncClient, meter: MeterDefinition, lower: int
) -> _BatchRange:
    """Returns the batches after `lower` that end within LAST_STRETCH_EVENTS: possibly none."""
    return await _batch_range(
        connection, meter, lower, "events_before + events_within <= $4", LAST_STRETCH_EVENTS
    )


async def _batch_range(
    connection: BaseDBAsyncClient,
    meter: MeterDefinition,
    lower: int,
    condition: str,
    maximum_events: int,
) -> _BatchRange:
    """Returns the batches after `lower` that fulfil a condition on the meter's events."""
    names = None if meter.event_names is None else list(meter.event_names)
    rows = await connection.execute_query_dict(
        f"""
        WITH next AS (
            SELECT id, position, event_count, first_at, last_at,
                   event_count > 0 AND ($3::text[] IS NULL OR names && $3::text[])
                       AND ($6::timestamptz IS NULL OR last_at >= $6::timestamptz) AS concerns
            FROM event_batch
            WHERE organization_id = $1 AND position > $2
            ORDER BY position LIMIT $5
        ), counted AS (
            SELECT *, coalesce(sum(event_count) FILTER (WHERE concerns) OVER before, 0)
                AS events_before,
                CASE WHEN concerns THEN event_count ELSE 0 END AS events_within
            FROM next
            WINDOW before AS (
                ORDER BY position ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            )
        )
        SELECT array_agg(id ORDER BY id) FILTER (WHERE concerns) AS ids,
               greatest(min(first_at) FILTER (WHERE concerns), $6::timestamptz) AS first_at,
               max(last_at) FILTER (WHERE concerns) AS last_at,
               max(position) AS upper
        FROM counted WHERE {condition}
        """,
        [meter.organization_id, lower, names, maximum_events, CHUNK_BATCHES, meter.history_from],
    )
    (row,), batches = rows, Batches([], [])
    if row["ids"]:
        batches = Batches(row["ids"], months_around(row["first_at"], row["last_at"]))
    return _BatchRange(batches, lower if row["upper"] is None else row["upper"])

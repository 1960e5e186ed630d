"""The log of an organization: batches get positions and are counted, in one transaction.

Positions are given only here, under the lock of the organization's row in `event_log`, so they
have no gaps and never appear late. A crash anywhere leaves a batch pending or wholly counted.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.transactions import in_transaction

from config import tracing
from metering.alerts.deciding import IS_WATCHED
from metering.batches import Batches
from metering.counting.event_names import note_event_names
from metering.counting.failures import (
    COUNTING_ERRORS,
    fails_again,
    note_problem,
    reason_of,
    savepoint,
)
from metering.counting.late import note_events_of_erased, note_late_events
from metering.counting.rollup import count_step
from metering.language.definition import METER_COLUMNS, MeterDefinition, meter_definition
from metering.live.after_commit import emit
from metering.live.wakeup import UsageChanged

_log = structlog.get_logger(__name__)

# Enough to make a step's fixed cost negligible; few enough for a fraction of a second.
MAXIMUM_EVENTS = 10_000
MAXIMUM_BATCHES = 2_000


@dataclass(frozen=True, slots=True)
class LogState:
    """How far a log has been counted.

    `head`: the last position given, `events`: how many events the log holds up to it,
    `revision`: that of the last change of a customer meter, `erased_customers`: how many were
    erased.
    """

    head: int
    events: int
    revision: int
    erased_customers: int


@dataclass(frozen=True, slots=True)
class Advance:
    """What one step of the log did."""

    state: LogState
    batches: int
    events: int
    meters: int


@dataclass(frozen=True, slots=True)
class LogStep:
    """The batches that a step of the log counts; `head` is the position before it.

    `position` is that of the last batch.
    `watched` are the meters that have alerts.
    """

    organization_id: UUID
    batches: Batches
    head: int
    revision: int
    watched: Collection[UUID]
    position: int


Count = Callable[[BaseDBAsyncClient, Sequence[MeterDefinition], LogStep], Awaitable[None]]


async def lock_log(connection: BaseDBAsyncClient, organization_id: UUID) -> LogState:
    """Takes the log's lock until the end of the transaction.

    Changing customer meters, positions or what a meter counts requires it.
    """
    rows = await connection.execute_query_dict(
        """
        SELECT head, events, revision, erased_customers FROM event_log
        WHERE organization_id = $1 FOR UPDATE
        """,
        [organization_id],
    )
    if not rows:
        await connection.execute_query(
            """
            INSERT INTO event_log (organization_id, head, events, revision) VALUES ($1, 0, 0, 0)
            ON CONFLICT DO NOTHING
            """,
            [organization_id],
        )
        return await lock_log(connection, organization_id)
    return LogState(**rows[0])


async def next_revision(connection: BaseDBAsyncClient, organization_id: UUID) -> int:
    """Returns the revision for customer meters that this transaction changes; under the lock."""
    rows = await connection.execute_query_dict(
        """
        UPDATE event_log SET revision = revision + 1
        WHERE organization_id = $1
        RETURNING revision
        """,
        [organization_id],
    )
    emit(connection, UsageChanged(organization_id, tracing.here()))
    revision: int = rows[0]["revision"]
    return revision


async def take_position(connection: BaseDBAsyncClient, organization_id: UUID) -> LogState:
    """Takes a position for a change that is not a batch; under the log's lock.

    Each position then tells whether it was before or after the change.
    """
    state = await _move_head(connection, organization_id, 1, 0)
    await connection.execute_query(
        """
        INSERT INTO event_batch (
            organization_id, position, event_count, events_through, names, received_at, processed_at
        )
        VALUES ($1, $2, 0, $3, '{}', clock_timestamp(), clock_timestamp())
        """,
        [organization_id, state.head, state.events],
    )
    return state


async def advance(organization_id: UUID) -> Advance | None:
    """Counts the next pending batches into every live meter; None if nothing is pending.

    A meter that fails falls behind, and the log goes on without it.
    """
    try:
        async with in_transaction() as connection:
            return await _advance(connection, organization_id, _count_all)
    except COUNTING_ERRORS as error:
        if not fails_again(error):
            raise
        _log.warning(
            "counting failed; trying meter by meter",
            organization_id=str(organization_id),
            reason=reason_of(error),
        )
    async with in_transaction() as connection:
        return await _advance(connection, organization_id, _count_meter_by_meter)


async def _advance(
    connection: BaseDBAsyncClient, organization_id: UUID, count: Count
) -> Advance | None:
    state = await lock_log(connection, organization_id)
    batches = await _give_positions(connection, organization_id, state)
    if not batches:
        return None
    with tracing.following("count", (batch["traceparent"] for batch in batches)) as span:
        names = {name for batch in batches for name in batch["names"]}
        meters, watched = await _live_meters(connection, organization_id, names)
        events = sum(batch["event_count"] for batch in batches)
        span.note(batches=len(batches), events=events, meters=len(meters))
        new_state = await _move_head(connection, organization_id, len(batches), events)
        found = Batches.of(batches)
        step = LogStep(
            organization_id, found, state.head, new_state.revision, watched, new_state.head
        )
        await count(connection, meters, step)
        await note_late_events(connection, organization_id, step.batches)
        if state.erased_customers:
            await note_events_of_erased(connection, organization_id, step.batches)
        return Advance(new_state, len(batches), events, len(meters))


async def _count_all(
    connection: BaseDBAsyncClient, meters: Sequence[MeterDefinition], step: LogStep
) -> None:
    await note_event_names(connection, step.organization_id, step.batches)
    await _count_together(connection, meters, step)


async def _count_together(
    connection: BaseDBAsyncClient, meters: Sequence[MeterDefinition], step: LogStep
) -> None:
    for meter in meters:
        await count_step(
            *(connection, meter, step.batches, step.revision, step.position),
            is_watched=meter.id in step.watched,
        )


async def _count_meter_by_meter(
    connection: BaseDBAsyncClient, meters: Sequence[MeterDefinition], step: LogStep
) -> None:
    """Counts a step meter by meter; those that fail fall behind."""
    where = {"organization_id": str(step.organization_id), "position": step.head}
    try:
        async with savepoint(connection):
            await note_event_names(connection, step.organization_id, step.batches)
    except COUNTING_ERRORS as error:
        if not fails_again(error):
            raise
        _log.error("could not record event names", reason=reason_of(error), **where)
    for meter in meters:
        try:
            async with savepoint(connection):
                await _count_together(connection, [meter], step)
        except COUNTING_ERRORS as error:
            if not fails_again(error):
                raise
            _log.error(
                "meter falls behind, because counting fails",
                meter_id=str(meter.id),
                reason=reason_of(error),
                **where,
            )
            await connection.execute_query(
                """
                UPDATE meter SET position = $2, dimensions_position = CASE
                    WHEN dimensions <> '{}' THEN coalesce(dimensions_position, $2)
                    ELSE dimensions_position
                END
                WHERE organization_id = $3 AND id = $1
                """,
                [meter.id, step.head, step.organization_id],
            )
            await note_problem(connection, step.organization_id, meter.id, error)


async def _give_positions(
    connection: BaseDBAsyncClient, organization_id: UUID, state: LogState
) -> list[dict[str, Any]]:
    return await connection.execute_query_dict(
        """
        WITH pending AS (
            SELECT id, event_count FROM event_batch
            WHERE organization_id = $1 AND position IS NULL
            ORDER BY id LIMIT $3
        ), numbered AS (
            SELECT id, event_count, row_number() OVER (ORDER BY id) AS number,
                   sum(event_count) OVER (ORDER BY id) - event_count AS events_before
            FROM pending
        )
        UPDATE event_batch
        SET position = $2 + numbered.number,
            events_through = $5 + numbered.events_before + numbered.event_count,
            processed_at = statement_timestamp()
        FROM numbered
        WHERE event_batch.organization_id = $1 AND event_batch.id = numbered.id
          AND numbered.events_before < $4
        RETURNING event_batch.id, event_batch.event_count, event_batch.names,
                  event_batch.traceparent, event_batch.first_at, event_batch.last_at
        """,
        [organization_id, state.head, MAXIMUM_BATCHES, MAXIMUM_EVENTS, state.events],
    )


async def _live_meters(
    connection: BaseDBAsyncClient, organization_id: UUID, names: Iterable[str]
) -> tuple[list[MeterDefinition], frozenset[UUID]]:
    """Returns the live meters that can match an event name, and the ids of those with alerts."""
    rows = await connection.execute_query_dict(
        f"""
        SELECT {METER_COLUMNS}, {IS_WATCHED} AS is_watched FROM meter
        WHERE organization_id = $1 AND position IS NULL
          AND (event_names IS NULL OR event_names && $2::text[])
        ORDER BY id
        """,
        [organization_id, list(names)],
    )
    watched = frozenset(row["id"] for row in rows if row["is_watched"])
    return [meter_definition(row) for row in rows], watched


async def _move_head(
    connection: BaseDBAsyncClient, organization_id: UUID, batches: int, events: int
) -> LogState:
    rows = await connection.execute_query_dict(
        """
        UPDATE event_log SET head = head + $2, events = events + $3, revision = revision + 1
        WHERE organization_id = $1
        RETURNING head, events, revision, erased_customers
        """,
        [organization_id, batches, events],
    )
    emit(connection, UsageChanged(organization_id, tracing.here()))
    return LogState(**rows[0])

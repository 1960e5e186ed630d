"""Going on without what cannot be counted: a meter, then within its history a single event.

A statement that fails again each time it is repeated would stop the log for good. So the log
counts meter by meter, each in a savepoint, and a meter that fails falls behind. Catching up, a
chunk that fails is tried in halves, each in a savepoint, down to the events that fail alone. Those
are noted (`uncounted`), and whatever reads a meter's raw events leaves them out, the next try at
the chunk first. Once the cause is gone, they are counted after all (`recount`).
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from tortoise.backends.base.client import BaseDBAsyncClient

from metering.counting.customer_meters import merge_increments
from metering.counting.event_names import note_event_names
from metering.counting.failures import COUNTING_ERRORS, comes_from_rows, fails_again, reason_of
from metering.counting.rollup import UsageIncrement, add_to_totals, count_batches, count_events
from metering.counting.uncounted import Culprit, counted_sql
from metering.language.definition import MeterDefinition

_log = structlog.get_logger(__name__)

MAXIMUM_CULPRITS = 200
"""So many are found at a time: what succeeds between them holds locks until the end."""


@dataclass(frozen=True, slots=True)
class LogStep:
    """The batches that a step of the log counts; `head` is the position before it."""

    organization_id: UUID
    batch_ids: Sequence[int]
    head: int
    revision: int


async def count_meter_by_meter(
    connection: BaseDBAsyncClient, meters: Sequence[MeterDefinition], step: LogStep
) -> list[UUID]:
    """Counts a step of the log into each meter that it can; gives those that fell behind."""
    await _note_event_names(connection, step)
    fallen = []
    for meter in meters:
        try:
            async with _savepoint(connection):
                increments = await count_batches(connection, meter, step.batch_ids)
                await add_to_totals(connection, meter.id, increments)
                await merge_increments(connection, step.organization_id, increments, step.revision)
        except COUNTING_ERRORS as error:
            if not fails_again(error):
                raise
            _log.exception(
                "meter falls behind, because counting fails",
                organization_id=str(step.organization_id),
                meter_id=str(meter.id),
                position=step.head,
            )
            fallen.append(meter.id)
    if fallen:
        await connection.execute_query_dict(
            "UPDATE meter SET position = $2 WHERE id = ANY($1::uuid[]) RETURNING id",
            [fallen, step.head],
        )
    return fallen


async def _note_event_names(connection: BaseDBAsyncClient, step: LogStep) -> None:
    try:
        async with _savepoint(connection):
            await note_event_names(connection, step.organization_id, step.batch_ids)
    except COUNTING_ERRORS as error:
        if not fails_again(error):
            raise
        _log.exception("event names not noted", organization_id=str(step.organization_id))


async def find_culprits(
    connection: BaseDBAsyncClient, meter: MeterDefinition, batch_ids: Sequence[int]
) -> list[Culprit]:
    """Events of the batches that fail alone: all, or the first MAXIMUM_CULPRITS. Counts none."""
    rows = await connection.execute_query_dict(
        f"""
        SELECT e.id FROM event e
        WHERE e.organization_id = $1 AND e.batch_id = ANY($3::bigint[]) AND {counted_sql()}
        ORDER BY e.batch_id, e.id
        """,
        [meter.organization_id, meter.id, list(batch_ids)],
    )
    tried = Tried()
    await connection.execute_script("SAVEPOINT trial")
    await count_in_halves(connection, meter, [row["id"] for row in rows], tried)
    await connection.execute_script("ROLLBACK TO SAVEPOINT trial; RELEASE SAVEPOINT trial")
    return tried.culprits


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of events: the counted ones, with their increments, and those that fail."""

    counted: list[UUID] = field(default_factory=list)
    increments: list[list[UsageIncrement]] = field(default_factory=list)
    culprits: list[Culprit] = field(default_factory=list)


async def count_in_halves(
    connection: BaseDBAsyncClient, meter: MeterDefinition, event_ids: Sequence[UUID], tried: Tried
) -> None:
    """Adds the events that can be counted to the meter's buckets, and to `tried` what became.

    Stops at MAXIMUM_CULPRITS.
    """
    if not event_ids or len(tried.culprits) >= MAXIMUM_CULPRITS:
        return
    try:
        async with _savepoint(connection):
            tried.increments.append(await count_events(connection, meter, event_ids))
            tried.counted.extend(event_ids)
    except COUNTING_ERRORS as error:
        if not comes_from_rows(error):
            raise
        if len(event_ids) == 1:
            tried.culprits.append(Culprit(event_ids[0], reason_of(error)))
            return
        middle = len(event_ids) // 2
        await count_in_halves(connection, meter, event_ids[:middle], tried)
        await count_in_halves(connection, meter, event_ids[middle:], tried)


@asynccontextmanager
async def _savepoint(connection: BaseDBAsyncClient) -> AsyncIterator[None]:
    """Takes back what is done inside where that fails.

    Tortoise's own savepoints stay open then, each inside the one before; hundreds of them would
    fill PostgreSQL's table of locks.
    """
    await connection.execute_script("SAVEPOINT attempt")
    try:
        yield
    except COUNTING_ERRORS:
        await connection.execute_script("ROLLBACK TO SAVEPOINT attempt; RELEASE SAVEPOINT attempt")
        raise
    await connection.execute_script("RELEASE SAVEPOINT attempt")

"""Counting after all what could not be counted, once the cause is gone.

An event that is counted late changes numbers of the past, as a late event does. So it takes a
position of the log: what was invoiced before that position is still what the events up to it say.
"""

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import structlog
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection
from tortoise.transactions import in_transaction

from metering.counting.catch_up import hold_catch_up, read_meter
from metering.counting.customer_meters import merge_increments
from metering.counting.failures import COUNTING_ERRORS, fails_again, reason_of
from metering.counting.isolation import Tried, count_in_halves
from metering.counting.late import note_late_events
from metering.counting.log import lock_log, take_position
from metering.counting.rollup import add_to_totals
from metering.counting.uncounted import Culprit
from metering.language.definition import MeterDefinition

_log = structlog.get_logger(__name__)

# So many are tried while the log's lock is held.
_EVENTS = 100


@dataclass(frozen=True, slots=True)
class Recounted:
    """Events that are counted by now, and those that still fail; the log's revision after it.

    `problem`: why the others were not tried, where merging them into customers' usage failed.
    """

    counted: int = 0
    failed: int = 0
    revision: int | None = None
    problem: str | None = None


async def uncounted_meters() -> list[tuple[UUID, UUID]]:
    """The meters with events that they could not count, as (organization, meter)."""
    rows = await get_connection("default").execute_query_dict(
        """
        SELECT DISTINCT organization_id, meter_id FROM uncounted_event
        WHERE counted_from IS NULL ORDER BY organization_id, meter_id
        """
    )
    return [(row["organization_id"], row["meter_id"]) for row in rows]


async def recount(organization_id: UUID, meter_id: UUID) -> Recounted | None:
    """Tries every event anew that a live meter could not count, a bounded number at a time.

    None where the meter is not live: one that is behind or archived has no head to count at. If it
    becomes so meanwhile, or merging fails, what was done by then is told.
    """
    whole, after = Recounted(), UUID(int=0)
    while True:
        try:
            step = await _recount_next(organization_id, meter_id, after)
        except COUNTING_ERRORS as error:
            if not fails_again(error):
                raise
            _log.exception(
                "what a meter could not count stays out, because merging fails",
                organization_id=str(organization_id),
                meter_id=str(meter_id),
            )
            return replace(whole, problem=reason_of(error))
        if step is None:
            return None if whole == Recounted() else whole
        if step.last is None:
            return whole
        after = step.last
        whole = Recounted(
            whole.counted + step.counted,
            whole.failed + step.failed,
            step.revision or whole.revision,
        )


@dataclass(frozen=True, slots=True)
class _RecountProgress:
    """The events that were tried up to `last`, which is None where there were none left."""

    last: UUID | None
    counted: int = 0
    failed: int = 0
    revision: int | None = None


async def _recount_next(
    organization_id: UUID, meter_id: UUID, after: UUID
) -> _RecountProgress | None:
    async with in_transaction() as connection:
        await hold_catch_up(connection, meter_id)
        await lock_log(connection, organization_id)
        meter = await read_meter(connection, organization_id, meter_id)
        if meter is None or meter.position is not None:
            return None
        event_ids = await _uncounted(connection, meter, after)
        if not event_ids:
            return _RecountProgress(None)
        tried = Tried()
        await count_in_halves(connection, meter, event_ids, tried)
        await _note_reasons(connection, meter, tried.culprits)
        revision = await _merge(connection, meter, tried) if tried.counted else None
        return _RecountProgress(event_ids[-1], len(tried.counted), len(tried.culprits), revision)


async def _merge(connection: BaseDBAsyncClient, meter: MeterDefinition, tried: Tried) -> int:
    state = await take_position(connection, meter.organization_id)
    for increments in tried.increments:
        await add_to_totals(connection, meter.id, increments)
        await merge_increments(connection, meter.organization_id, increments, state.revision)
    rows = await connection.execute_query_dict(
        """
        WITH counted AS (
            UPDATE uncounted_event SET counted_from = $3
            WHERE organization_id = $1 AND meter_id = $2 AND event_id = ANY($4::uuid[])
            RETURNING event_id
        )
        SELECT DISTINCT event.batch_id
        FROM counted JOIN event ON event.organization_id = $1 AND event.id = counted.event_id
        """,
        [meter.organization_id, meter.id, state.head, tried.counted],
    )
    await note_late_events(connection, meter.organization_id, [row["batch_id"] for row in rows])
    _log.info(
        "events counted after all",
        organization_id=str(meter.organization_id),
        meter_id=str(meter.id),
        position=state.head,
        events=len(tried.counted),
    )
    return state.revision


async def _uncounted(
    connection: BaseDBAsyncClient, meter: MeterDefinition, after: UUID
) -> list[UUID]:
    rows: list[dict[str, Any]] = await connection.execute_query_dict(
        """
        SELECT event_id FROM uncounted_event
        WHERE organization_id = $1 AND meter_id = $2 AND event_id > $3 AND counted_from IS NULL
        ORDER BY event_id LIMIT $4
        """,
        [meter.organization_id, meter.id, after, _EVENTS],
    )
    return [row["event_id"] for row in rows]


async def _note_reasons(
    connection: BaseDBAsyncClient, meter: MeterDefinition, culprits: list[Culprit]
) -> None:
    """What fails by now may fail for another reason than it did."""
    await connection.execute_query_dict(
        """
        UPDATE uncounted_event AS noted SET reason = culprit.reason
        FROM unnest($3::uuid[], $4::text[]) AS culprit (event_id, reason)
        WHERE noted.organization_id = $1 AND noted.meter_id = $2
          AND noted.event_id = culprit.event_id
        RETURNING 1
        """,
        [
            meter.organization_id,
            meter.id,
            [culprit.event_id for culprit in culprits],
            [culprit.reason for culprit in culprits],
        ],
    )

"""Going on without what cannot be counted: a meter, then within its history a single event.

A statement that fails again each time it is repeated would stop the log for good. So the log
counts meter by meter, each in a savepoint, and a meter that fails falls behind. Catching up, it
counts in halves, each in a savepoint, down to the events that fail alone. Those are recorded in
`uncounted_event`, and whatever reads a meter's raw events leaves them out (`uncounted`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.transactions import in_transaction

from metering.customer_meters import merge_shares
from metering.definition import MeterDefinition
from metering.event_names import note_event_names
from metering.failures import COUNTING_ERRORS, comes_from_rows, fails_again, reason_of
from metering.rollup import Share, add_to_totals, count_batches
from metering.uncounted import note_uncounted

_log = structlog.get_logger(__name__)


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
            async with in_transaction():
                shares = await count_batches(connection, meter, step.batch_ids)
                await add_to_totals(connection, meter.id, shares)
                await merge_shares(connection, step.organization_id, shares, step.revision)
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
        async with in_transaction():
            await note_event_names(connection, step.organization_id, step.batch_ids)
    except COUNTING_ERRORS as error:
        if not fails_again(error):
            raise
        _log.exception("event names not noted", organization_id=str(step.organization_id))


async def count_event_by_event(
    connection: BaseDBAsyncClient, meter: MeterDefinition, batch_ids: Sequence[int]
) -> list[list[Share]]:
    """Counts all events of the batches but those that fail alone, which are recorded.

    The shares of a customer are in several groups, which are to be merged one after the other.
    """
    rows = await connection.execute_query_dict(
        """
        SELECT id FROM event
        WHERE organization_id = $1 AND batch_id = ANY($2::bigint[])
        ORDER BY batch_id, id
        """,
        [meter.organization_id, list(batch_ids)],
    )
    return await _count_in_halves(connection, meter, batch_ids, [row["id"] for row in rows])


async def _count_in_halves(
    connection: BaseDBAsyncClient,
    meter: MeterDefinition,
    batch_ids: Sequence[int],
    event_ids: Sequence[UUID],
) -> list[list[Share]]:
    try:
        async with in_transaction():
            return [await count_batches(connection, meter, batch_ids, event_ids)]
    except COUNTING_ERRORS as error:
        if not comes_from_rows(error):
            raise
        if not event_ids:
            raise
        if len(event_ids) == 1:
            reason = reason_of(error)
            await note_uncounted(connection, meter, event_ids[0], reason)
            _log.error(
                "event cannot be counted; going on without it",
                organization_id=str(meter.organization_id),
                meter_id=str(meter.id),
                event_id=str(event_ids[0]),
                reason=reason,
            )
            return []
    middle = len(event_ids) // 2
    return [
        *await _count_in_halves(connection, meter, batch_ids, event_ids[:middle]),
        *await _count_in_halves(connection, meter, batch_ids, event_ids[middle:]),
    ]

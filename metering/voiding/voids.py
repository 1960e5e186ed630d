"""Voids events, in one transaction under the log's lock.

So every number is right before and after it, and a call that is cut off has done nothing. Voiding
takes a position of the log, from which on the events count nowhere. An event that is not counted
yet never will be, because it has left its batch.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from metering.audit.kept_buckets import IN_TOTAL
from metering.counting.catch_up import hold_catch_up
from metering.counting.event_names import take_from_names
from metering.counting.late import note_late
from metering.counting.log import lock_log, take_position
from metering.counting.rollup import add_to_totals
from metering.language.definition import METER_COLUMNS, MeterDefinition, meter_definition
from metering.months import is_month_missing
from metering.problems import Problem, RefusedError, problem, refuse_any
from metering.texts import REASON, name_problems
from metering.usage.periods import begin_again
from metering.voiding.buckets import position_of, uncount
from metering.voiding.found_events import FoundEvent, find_events

MAXIMUM_EVENTS = 10_000
"""The most ids and external ids of a call."""

_VOID = """
WITH voided AS (
    SELECT * FROM unnest($2::uuid[], $3::timestamptz[]) AS voided (id, timestamp)
), noted AS (
    INSERT INTO event_void (organization_id, event_id, position, voided_at, reason)
    SELECT $1, id, $4, statement_timestamp(), $5 FROM voided
)
UPDATE event SET batch_id = -event.batch_id
FROM voided
WHERE event.organization_id = $1 AND event.id = voided.id AND event.timestamp = voided.timestamp
  AND event.timestamp >= $6 AND event.timestamp <= $7
"""

# The customers with a current period that a voided event may have been in, or from before it.
_CHANGED = """
SELECT DISTINCT kept.customer_id
FROM unnest($3::uuid[], $4::timestamptz[]) AS touched (customer_id, bucket)
JOIN customer_meter kept
    ON kept.organization_id = $1 AND kept.meter_id = $2 AND kept.customer_id = touched.customer_id
WHERE (kept.period_end IS NULL OR touched.bucket < kept.period_end)
  AND ($5 OR kept.period_start IS NULL
       OR touched.bucket + interval '15 minutes' > kept.period_start)
"""


@dataclass(frozen=True, slots=True)
class Voided:
    """Which events were voided, how many were already, and which ids belong to none."""

    ids: tuple[UUID, ...]
    already_voided: int
    missing_ids: frozenset[UUID] = frozenset()
    missing_external_ids: frozenset[str] = frozenset()


class _MeterBehindError(RuntimeError):
    """A meter began to catch up before the log was locked."""


async def void_events(
    organization_id: UUID, ids: Collection[UUID], external_ids: Collection[str], reason: str
) -> Voided:
    """Voids the events with these ids and external ids.

    Raises:
        RefusedError: the reason is invalid, or an event is archived. Nothing was voided.
    """
    refuse_any(name_problems(reason, REASON, "reason"))
    while True:
        try:
            async with in_transaction() as connection:
                meters = await _stop_counting(connection, organization_id)
                found = await find_events(connection, organization_id, ids, external_ids)
                events = list(found.of_time())
                if events:
                    await _void(connection, organization_id, meters, events, reason)
                return Voided(
                    ids=tuple(event.id for event in events),
                    already_voided=len(found.events) - len(events),
                    missing_ids=found.missing_ids,
                    missing_external_ids=found.missing_external_ids,
                )
        except _MeterBehindError:
            continue
        except IntegrityError as error:
            if not is_month_missing(error):
                raise
            raise RefusedError(_just_archived()) from error


async def _stop_counting(
    connection: BaseDBAsyncClient, organization_id: UUID
) -> list[MeterDefinition]:
    """Locks the log, and keeps meters from catching up; returns all meters.

    A chunk of history holds rows of buckets while it waits for the log, so chunks end first.
    """
    held = set()
    for meter in await _meters(connection, organization_id):
        if meter.is_behind:
            await hold_catch_up(connection, meter.id)
            held.add(meter.id)
    await lock_log(connection, organization_id)
    meters = await _meters(connection, organization_id)
    if any(meter.is_behind and meter.id not in held for meter in meters):
        raise _MeterBehindError
    return meters


async def _void(
    connection: BaseDBAsyncClient,
    organization_id: UUID,
    meters: Sequence[MeterDefinition],
    events: Sequence[FoundEvent],
    reason: str,
) -> None:
    """Voids events, in the order of their time, of which none is voided yet."""
    state = await take_position(connection, organization_id)
    await connection.execute_query(
        _VOID,
        [
            organization_id,
            [event.id for event in events],
            [event.timestamp for event in events],
            state.head,
            reason,
            events[0].timestamp,
            events[-1].timestamp,
        ],
    )
    counted = [event for event in events if event.position is not None]
    if not counted:
        return
    for meter in meters:
        concerned = [
            event
            for event in counted
            if meter.event_names is None or event.name in meter.event_names
        ]
        if concerned:
            await _uncount(connection, meter, concerned, state.head, state.revision)
    await take_from_names(connection, organization_id, [(e.name, e.timestamp) for e in counted])
    await note_late(connection, organization_id, [(e.customer_id, e.timestamp) for e in counted])


async def _uncount(
    connection: BaseDBAsyncClient,
    meter: MeterDefinition,
    events: Sequence[FoundEvent],
    head: int,
    revision: int,
) -> None:
    uncounted = await uncount(connection, meter, events, head)
    if not uncounted.touched:
        return
    await connection.execute_query(
        "UPDATE meter SET usage_version = usage_version + 1 WHERE organization_id = $1 AND id = $2",
        [meter.organization_id, meter.id],
    )
    await add_to_totals(connection, meter, -uncounted.count, -uncounted.skipped)
    rows = await connection.execute_query_dict(
        _CHANGED,
        [
            meter.organization_id,
            meter.id,
            [customer_id for customer_id, _bucket in uncounted.touched],
            [bucket for _customer_id, bucket in uncounted.touched],
            meter.aggregation.lasts(),
        ],
    )
    changed = sorted(row["customer_id"] for row in rows)
    await begin_again(connection, meter, position_of(meter, IN_TOTAL, head), changed, revision)


async def _meters(connection: BaseDBAsyncClient, organization_id: UUID) -> list[MeterDefinition]:
    rows = await connection.execute_query_dict(
        f"SELECT {METER_COLUMNS} FROM meter WHERE organization_id = $1 ORDER BY id",
        [organization_id],
    )
    return [meter_definition(row) for row in rows]


def _just_archived() -> Problem:
    message = "Events of this month are just being archived, and cannot be voided."
    return problem("EVENTS_ARCHIVED", message)

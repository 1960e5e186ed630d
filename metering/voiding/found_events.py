"""Finds the events that a call asks to void."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from metering.archive.boundary import accepted_from
from metering.language.instants import format_instant
from metering.language.voided import BATCH_ID, IS_VOIDED
from metering.problems import RefusedError, problem
from metering.texts import is_storable


@dataclass(frozen=True, slots=True)
class FoundEvent:
    """An event to void. `position` is that of its batch; None if it is not counted yet."""

    id: UUID
    timestamp: datetime
    customer_id: UUID
    name: str
    is_voided: bool
    position: int | None


@dataclass(frozen=True, slots=True)
class FoundEvents:
    """The events that were asked for, each once, and the ids and external ids of none."""

    events: tuple[FoundEvent, ...]
    missing_ids: frozenset[UUID]
    missing_external_ids: frozenset[str]

    def of_time(self) -> Iterator[FoundEvent]:
        """The events that are not voided yet, in the order of their time."""
        found = (event for event in self.events if not event.is_voided)
        return iter(sorted(found, key=lambda event: (event.timestamp, event.id)))


_COLUMNS = f"""
    e.id, e.timestamp, e.customer_id, e.name, {IS_VOIDED} AS is_voided, (
        SELECT batch.position FROM event_batch batch
        WHERE batch.organization_id = $1 AND batch.id = {BATCH_ID}
    ) AS position
"""

_BY_ID = f"SELECT {_COLUMNS} FROM event e WHERE e.organization_id = $1 AND e.id = ANY($2::uuid[])"

_KEPT_BY_ID = "SELECT id FROM kept_event WHERE organization_id = $1 AND id = ANY($2::uuid[])"

# Laterals find each key and each event by index.
_BY_EXTERNAL_ID = f"""
SELECT given.external_id, taken.timestamp AS taken_at, found.*
FROM unnest($2::text[]) AS given (external_id)
CROSS JOIN LATERAL (
    SELECT event_id, timestamp FROM event_key
    WHERE organization_id = $1 AND key = external_id_key(given.external_id)
    LIMIT 1
) AS taken
LEFT JOIN LATERAL (
    SELECT {_COLUMNS} FROM event e
    WHERE e.organization_id = $1 AND e.id = taken.event_id AND e.timestamp = taken.timestamp
    LIMIT 1
) AS found ON true
"""


async def find_events(
    connection: BaseDBAsyncClient,
    organization_id: UUID,
    ids: Collection[UUID],
    external_ids: Collection[str],
) -> FoundEvents:
    """Finds events by ids and external ids. The caller holds the log's lock.

    Raises:
        RefusedError: an event is archived, or is just being archived.
    """
    stored_from = await accepted_from(connection)
    rows = await connection.execute_query_dict(_BY_ID, [organization_id, list(ids)])
    if stored_from is not None:
        kept = await connection.execute_query_dict(_KEPT_BY_ID, [organization_id, list(ids)])
        if kept or any(row["timestamp"] < stored_from for row in rows):
            raise _archived(stored_from, "ids")
    storable = [text for text in external_ids if is_storable(text)]
    named = await connection.execute_query_dict(_BY_EXTERNAL_ID, [organization_id, storable])
    missing = set(external_ids)
    for row in named:
        missing.discard(row.pop("external_id"))
        taken_at = row.pop("taken_at")
        if stored_from is not None and taken_at < stored_from:
            raise _archived(stored_from, "externalIds")
    events = {row["id"]: FoundEvent(**row) for row in (*rows, *named) if row["id"] is not None}
    return FoundEvents(tuple(events.values()), frozenset(ids) - events.keys(), frozenset(missing))


def _archived(stored_from: datetime, field: str) -> RefusedError:
    message = (
        f"Events from before {format_instant(stored_from)} are archived, and cannot be voided."
        " Nothing was voided."
    )
    return RefusedError(problem("EVENTS_ARCHIVED", message, field))

"""Reads events: by id, in lists with any filter of the API, and the meters that count them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from metering.language.definition import definition_of
from metering.language.erased import counted_sql
from metering.language.filters import Filter, event_names
from metering.language.parameters import Parameters
from metering.language.predicates import predicate_sql
from metering.language.voided import BATCH_ID, IS_VOIDED, VOIDED_ONLY, counted_as_of
from metering.live.changes import EVENT_COLUMNS
from metering.texts import is_storable
from models import EventVoid, Meter
from schema.loaders.keyset import Keyset, instant_key, uuid_key
from schema.loaders.rows import Record, fetch
from schema.loaders.sources import AnyOf, SQLSource, model_of

_FEW_NAMES = 20
_FIRST_ID = UUID(int=0)
# The most parameters of one statement that asks which meters count an event. PostgreSQL takes
# 65,535 and asyncpg 32,767; the filter of one meter has up to 13,000.
_METERS = 500
_PARAMETERS = 15_000
LATEST_FIRST = Keyset((instant_key("timestamp"), uuid_key()), descending=True)

# Joining customers costs less than loading them.
_JOINED = f"""
    JOIN event_batch b ON b.organization_id = $1 AND b.id = {BATCH_ID}
    LEFT JOIN customer c ON c.organization_id = $1 AND c.id = e.customer_id
"""


@dataclass(frozen=True)
class EventQuery:
    """Which events to read: those that meet every condition that is not None.

    Those that a meter counts are not voided, unless voided ones are asked for, too.
    """

    names: tuple[str, ...] | None = None
    customer_id: UUID | None = None
    meter: Meter | None = None
    start: datetime | None = None
    end: datetime | None = None
    voided: bool | None = None
    where: Filter | None = None
    with_voided: bool = False


def events_source(organization_id: UUID, query: EventQuery | None) -> SQLSource[Record]:
    """The organization's events that meet the query, latest first. None means no events."""
    if query is None:
        return replace(events_source(organization_id, EventQuery()), empty=True)
    names = _names(query)
    are_few = names is not None and len(names) <= _FEW_NAMES

    def conditions(parameters: Parameters) -> list[str]:
        found = [f"e.organization_id = {parameters.add(organization_id, 'uuid')}"]
        if names is not None and not are_few:
            found.append(f"e.name = ANY({parameters.add(tuple(sorted(names)), 'text[]')})")
        if query.customer_id is not None:
            found.append(f"e.customer_id = {parameters.add(query.customer_id, 'uuid')}")
        found.extend(_counted(query, parameters))
        if query.start is not None:
            found.append(f"e.timestamp >= {parameters.add(query.start, 'timestamptz')}")
        if query.end is not None:
            # Not a range with `start`: without knowing its ends, the planner would expect so few
            # events in a range that it would sort all of them for one page.
            end, first = parameters.add(query.end, "timestamptz"), parameters.add(_FIRST_ID, "uuid")
            found.append(f"(e.timestamp, e.id) < ({end}, {first})")
        if query.where is not None:
            found.append(predicate_sql(query.where, parameters))
        return found

    return SQLSource(
        columns=EVENT_COLUMNS,
        table="event",
        conditions=conditions,
        alias="e",
        keyset=LATEST_FIRST,
        make=_same,
        joined=_JOINED,
        any_of=AnyOf("name", names) if names is not None and are_few else None,
        empty=names == frozenset(),
        searched=any(one is not None for one in (query.where, query.meter, query.voided)),
        long=True,
    )


def _counted(query: EventQuery, parameters: Parameters) -> list[str]:
    """SQL: whether the meter of a query counts event `e`, and whether that is voided."""
    found = []
    if query.meter is not None:
        found.extend(meter_conditions(query.meter, parameters))
        if not query.with_voided:
            found.append(f"NOT {IS_VOIDED}")
    if query.voided is not None:
        found.append(VOIDED_ONLY if query.voided else f"NOT {IS_VOIDED}")
    return found


def _names(query: EventQuery) -> frozenset[str] | None:
    """The names that the events can have, or None if they can have any name."""
    choices = []
    if query.names is not None:
        choices.append(frozenset(name for name in query.names if is_storable(name)))
    if query.meter is not None and query.meter.event_names is not None:
        choices.append(frozenset(query.meter.event_names))
    if query.where is not None and (of_where := event_names(query.where)) is not None:
        choices.append(of_where)
    return frozenset.intersection(*choices) if choices else None


def _same(record: Record) -> Record:
    return record


def meter_conditions(meter: Meter, parameters: Parameters) -> list[str]:
    """SQL: whether a meter counts event `e`, as long as that is not voided.

    An archived one counts only what it has looked at.
    """
    found = [counted_sql(definition_of(meter), parameters)]
    if meter.archived_at is not None:
        found.append(counted_as_of(parameters.add(meter.position, "bigint")))
    return found


async def events_by_id(organization_id: UUID, ids: list[UUID]) -> list[Record | None]:
    """The events with these ids, None for each that the organization does not have."""
    rows = await fetch(
        f"SELECT {EVENT_COLUMNS} FROM event e {_JOINED}"
        " WHERE e.organization_id = $1 AND e.id = ANY($2::uuid[])",
        organization_id,
        ids,
    )
    found = {row["id"]: row for row in rows}
    return [found.get(key) for key in ids]


async def voids_of_events(organization_id: UUID, ids: list[UUID]) -> list[EventVoid | None]:
    """When and why each event was voided; None for one that is not."""
    found = {
        void.event_id: void
        for void in await EventVoid.filter(organization_id=organization_id, event_id__in=ids)
    }
    return [found.get(key) for key in ids]


async def meters_of_events(organization_id: UUID, ids: list[UUID]) -> list[list[Meter]]:
    """The meters that count each event, oldest first."""
    rows = await fetch(
        """
        SELECT * FROM meter
        WHERE organization_id = $1 AND (
            event_names IS NULL OR event_names && ARRAY(
                SELECT DISTINCT name::text FROM event
                WHERE organization_id = $1 AND id = ANY($2::uuid[])
            )
        )
        ORDER BY id
        """,
        organization_id,
        ids,
    )
    meters = [model_of(Meter)(row) for row in rows]
    found: dict[UUID, list[Meter]] = {key: [] for key in ids}
    start = 0
    while start < len(meters):
        start = await _add_counting_meters(organization_id, meters, start, found)
    return [found[key] for key in ids]


async def _add_counting_meters(
    organization_id: UUID, meters: Sequence[Meter], start: int, found: dict[UUID, list[Meter]]
) -> int:
    """Adds the next meters to the events that they count; returns the meter to continue with.

    One statement asks for as many meters as its parameters allow.
    """
    parameters = Parameters(organization_id, tuple(found))
    matches: list[str] = []
    end = start
    while end < len(meters) and len(matches) < _METERS and len(parameters.values) < _PARAMETERS:
        condition = " AND ".join(meter_conditions(meters[end], parameters))
        matches.append(f"CASE WHEN {condition} THEN {end:d} END")
        end += 1
    rows = await fetch(
        f"""
        SELECT e.id, array_remove(ARRAY[{", ".join(matches)}], NULL) AS matching
        FROM event e
        WHERE e.organization_id = $1 AND e.id = ANY($2::uuid[]) AND NOT {IS_VOIDED}
        """,
        *parameters.values,
    )
    for row in rows:
        found[row["id"]] += [meters[index] for index in row["matching"]]
    return end

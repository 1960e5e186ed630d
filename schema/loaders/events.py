"""Reading events: by id, in lists under every filter of the API, and the meters that count them."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from metering.counting.uncounted import counted_sql
from metering.language.filter_parsing import stored_filter
from metering.language.filters import Filter, event_names
from metering.language.parameters import Parameters
from metering.language.predicates import predicate_sql
from models import Meter
from schema.loaders.customers import is_text
from schema.loaders.keyset import Keyset, instant_key, uuid_key
from schema.loaders.rows import Record, fetch
from schema.loaders.sources import AnyOf, SQLSource

_FEW_NAMES = 20
LATEST_FIRST = Keyset((instant_key("timestamp"), uuid_key()), descending=True)

# An event that some meter could not count waits, as one that no meter has looked at.
_UNCOUNTED = """
    FROM uncounted_event u
    WHERE u.organization_id = e.organization_id AND u.event_id = e.id AND u.counted_from IS NULL
"""
_COLUMNS = f"""
    e.id, e.customer_id, e.external_id, e.name, e.timestamp, e.metadata, b.received_at,
    CASE WHEN (SELECT count(*) {_UNCOUNTED}) = 0 THEN b.processed_at END AS processed_at,
    c.external_id AS customer_external_id, c.name AS customer_name, c.email AS customer_email,
    c.created_at AS customer_created_at
"""
# Customers come with their events, which costs less than to load them.
_JOINED = """
    JOIN event_batch b ON b.organization_id = e.organization_id AND b.id = e.batch_id
    LEFT JOIN customer c ON c.organization_id = e.organization_id AND c.id = e.customer_id
"""
_POSITION = """(
    SELECT batch.position FROM event_batch batch
    WHERE batch.organization_id = e.organization_id AND batch.id = e.batch_id
)"""


@dataclass(frozen=True)
class EventQuery:
    """Which events to look for: those that pass everything that is not None."""

    names: tuple[str, ...] | None = None
    customer_id: UUID | None = None
    meter: Meter | None = None
    start: datetime | None = None
    end: datetime | None = None
    where: Filter | None = None


def events_source(organization_id: UUID, query: EventQuery | None) -> SQLSource[Record]:
    """The organization's events that `query` asks for (None: nothing), latest first."""
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
        if query.meter is not None:
            found.extend(meter_conditions(query.meter, parameters))
            found.append(counted_sql(parameters.add(query.meter.id, "uuid")))
        if query.start is not None:
            found.append(f"e.timestamp >= {parameters.add(query.start, 'timestamptz')}")
        if query.end is not None:
            found.append(f"e.timestamp < {parameters.add(query.end, 'timestamptz')}")
        if query.where is not None:
            found.append(predicate_sql(query.where, parameters))
        return found

    return SQLSource(
        columns=_COLUMNS,
        table="event",
        conditions=conditions,
        alias="e",
        keyset=LATEST_FIRST,
        make=_same,
        joined=_JOINED,
        any_of=AnyOf("name", names) if names is not None and are_few else None,
        empty=names == frozenset(),
        searched=query.where is not None or query.meter is not None,
        long=True,
    )


def _names(query: EventQuery) -> frozenset[str] | None:
    """The names that the events can have; None where they can have any."""
    choices = []
    if query.names is not None:
        choices.append(frozenset(name for name in query.names if is_text(name)))
    if query.meter is not None and query.meter.event_names is not None:
        choices.append(frozenset(query.meter.event_names))
    if query.where is not None and (of_where := event_names(query.where)) is not None:
        choices.append(of_where)
    return frozenset.intersection(*choices) if choices else None


def _same(record: Record) -> Record:
    return record


def meter_conditions(meter: Meter, parameters: Parameters) -> list[str]:
    """Whether a meter counts event `e`: an archived one only what it has looked at.

    What it looked at and could not count is for the caller to leave out.
    """
    found = [predicate_sql(stored_filter(meter.event_filter), parameters)]
    if meter.archived_at is not None:
        found.append(f"{_POSITION} <= {parameters.add(meter.position, 'bigint')}")
    return found


async def events_by_id(organization_id: UUID, ids: list[UUID]) -> list[Record | None]:
    """The events with these ids, None for each that the organization does not have."""
    rows = await fetch(
        f"SELECT {_COLUMNS} FROM event e {_JOINED}"
        " WHERE e.organization_id = $1 AND e.id = ANY($2::uuid[])",
        organization_id,
        ids,
    )
    found = {row["id"]: row for row in rows}
    return [found.get(key) for key in ids]


async def meters_of_events(organization_id: UUID, ids: list[UUID]) -> list[list[Meter]]:
    """The meters that count each event, oldest first; two statements for any number of events."""
    meters = await Meter.filter(organization_id=organization_id).order_by("id")
    if not meters:
        return [[] for _ in ids]
    parameters = Parameters()
    columns = ", ".join(
        f"({' AND '.join(meter_conditions(meter, parameters))}) AS meter_{index:d}"
        for index, meter in enumerate(meters)
    )
    organization = parameters.add(organization_id, "uuid")
    rows = await fetch(
        f"SELECT e.id, ARRAY(SELECT u.meter_id {_UNCOUNTED}) AS uncounted, {columns}"
        f" FROM event e WHERE e.organization_id = {organization}"
        f" AND e.id = ANY({parameters.add(tuple(ids), 'uuid[]')})",
        *parameters.values,
    )
    counted = {
        row["id"]: [
            meter
            for index, meter in enumerate(meters)
            if row[f"meter_{index}"] and meter.id not in row["uncounted"]
        ]
        for row in rows
    }
    return [counted.get(key, []) for key in ids]

"""Reading events: by id, in lists under every filter of the API, and the meters that count them."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from metering.filter_parsing import stored_filter
from metering.filters import Filter
from metering.parameters import Parameters
from metering.predicates import predicate_sql
from models import Meter
from resolvers.loaders.customers import is_text
from resolvers.loaders.keyset import Keyset, instant_key, uuid_key
from resolvers.loaders.rows import Record, fetch
from resolvers.loaders.sources import SQLSource

LATEST_FIRST = Keyset((instant_key("timestamp"), uuid_key()), descending=True)

_COLUMNS = (
    "e.id, e.customer_id, e.external_id, e.name, e.timestamp, e.metadata,"
    " b.received_at, b.processed_at"
)
_TABLES = (
    "event e JOIN event_batch b ON b.organization_id = e.organization_id AND b.id = e.batch_id"
)


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

    def conditions(parameters: Parameters) -> list[str]:
        found = [f"e.organization_id = {parameters.add(organization_id, 'uuid')}"]
        if query.names is not None:
            names = tuple(name for name in query.names if is_text(name))
            found.append(f"e.name = ANY({parameters.add(names, 'text[]')})")
        if query.customer_id is not None:
            found.append(f"e.customer_id = {parameters.add(query.customer_id, 'uuid')}")
        if query.meter is not None:
            found.extend(meter_conditions(query.meter, parameters))
        if query.start is not None:
            found.append(f"e.timestamp >= {parameters.add(query.start, 'timestamptz')}")
        if query.end is not None:
            found.append(f"e.timestamp < {parameters.add(query.end, 'timestamptz')}")
        if query.where is not None:
            found.append(predicate_sql(query.where, parameters))
        return found

    return SQLSource(
        columns=_COLUMNS,
        source=_TABLES,
        conditions=conditions,
        alias="e",
        keyset=LATEST_FIRST,
        make=_same,
    )


def _same(record: Record) -> Record:
    return record


def meter_conditions(meter: Meter, parameters: Parameters) -> list[str]:
    """Whether a meter counts event `e` of batch `b`: an archived one only what it has looked at."""
    found = []
    if meter.event_names is not None:
        found.append(f"e.name = ANY({parameters.add(tuple(meter.event_names), 'text[]')})")
    found.append(predicate_sql(stored_filter(meter.event_filter), parameters))
    if meter.archived_at is not None:
        found.append(f"b.position <= {parameters.add(meter.position, 'bigint')}")
    return found


async def events_by_id(organization_id: UUID, ids: list[UUID]) -> list[Record | None]:
    """The events with these ids, None for each that the organization does not have."""
    rows = await fetch(
        f"SELECT {_COLUMNS} FROM {_TABLES} WHERE e.organization_id = $1 AND e.id = ANY($2::uuid[])",
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
        f"SELECT e.id, {columns} FROM {_TABLES} WHERE e.organization_id = {organization}"
        f" AND e.id = ANY({parameters.add(tuple(ids), 'uuid[]')})",
        *parameters.values,
    )
    counted = {
        row["id"]: [meter for index, meter in enumerate(meters) if row[f"meter_{index}"]]
        for row in rows
    }
    return [counted.get(key, []) for key in ids]

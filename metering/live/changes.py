"""Reads changes for feeds: customer meters, events and triggers, in the order of their changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tortoise.connection import get_connection
from tortoise.expressions import Q

from metering.counting.progress import with_position
from metering.live.change_feed import Cursor, Entry, Selection
from metering.live.changed_usage import changed_usage
from models import AlertTrigger, CustomerMeter

EventRow = Mapping[str, Any]
"""The values of EVENT_COLUMNS by name."""

_WITH_BATCH = "e.*, b.position, b.received_at, b.processed_at"
_OF_CUSTOMER = """
    c.external_id AS customer_external_id, c.name AS customer_name,
    c.email AS customer_email, c.created_at AS customer_created_at,
    c.erased_at AS customer_erased_at
"""
EVENT_COLUMNS = f"{_WITH_BATCH}, {_OF_CUSTOMER}"
"""The columns that are read of event `e`, its batch `b` and its customer `c`."""


@dataclass(frozen=True, slots=True)
class UsageSelection:
    """Selects customer meters: of a customer, of a meter, or all."""

    customer_id: UUID | None = None
    meter_id: UUID | None = None

    def matches(self, row: CustomerMeter, /) -> bool:
        """Whether a customer meter is selected."""
        return self.customer_id in (None, row.customer_id) and self.meter_id in (None, row.meter_id)


@dataclass(frozen=True, slots=True)
class EventSelection:
    """Selects events: with some names, of a customer, or all."""

    names: frozenset[str] | None = None
    customer_id: UUID | None = None

    def matches(self, row: EventRow, /) -> bool:
        """Whether an event is selected."""
        return (self.names is None or row["name"] in self.names) and (
            self.customer_id in (None, row["customer_id"])
        )


@dataclass(frozen=True, slots=True)
class TriggerSelection:
    """Selects all triggers of alerts."""

    customer_id: None = None

    def matches(self, _row: AlertTrigger, /) -> bool:
        """Every trigger is selected."""
        return True


async def log_column(organization_id: UUID, column: str) -> int:
    """Reads a column of the organization's log: `head` or `revision`."""
    rows = await get_connection("default").execute_query_dict(
        f"SELECT {column} AS number FROM event_log WHERE organization_id = $1", [organization_id]
    )
    return rows[0]["number"] if rows else 0


async def read_usage(
    organization_id: UUID, after: Cursor, limit: int, selection: Selection[CustomerMeter] | None
) -> list[Entry[CustomerMeter]]:
    """Reads the first customer meters after a cursor, up to a limit."""
    if selection is None or selection.customer_id is None:
        meter_id = selection.meter_id if isinstance(selection, UsageSelection) else None
        rows = await changed_usage(organization_id, after, limit, meter_id)
    else:
        query = CustomerMeter.filter(
            Q(revision__gt=after.number) | Q(revision=after.number, id__gt=after.id),
            organization_id=organization_id,
            customer_id=selection.customer_id,
        )
        if isinstance(selection, UsageSelection) and selection.meter_id is not None:
            query = query.filter(meter_id=selection.meter_id)
        rows = await with_position(query, organization_id).order_by("revision", "id").limit(limit)
    return [Entry(Cursor(row.revision, row.id), row) for row in rows]


async def read_events(
    organization_id: UUID, after: Cursor, limit: int, selection: Selection[EventRow] | None
) -> list[Entry[EventRow]]:
    """Reads the first events after a cursor, up to a limit."""
    names: Sequence[str] | None = None
    customer_id = None
    if isinstance(selection, EventSelection):
        names = None if selection.names is None else sorted(selection.names)
        customer_id = selection.customer_id
    rows = await get_connection("default").execute_query_dict(
        f"""
        SELECT e.*, {_OF_CUSTOMER}
        -- The page comes before the customers: a batch can have thousands of events.
        FROM (
            SELECT {_WITH_BATCH}
            FROM event_batch b
            JOIN event e ON e.organization_id = $1 AND e.batch_id = b.id
                -- The ids repeat that, for the planner; see `metering.batches`.
                AND e.batch_id >= b.id AND e.batch_id <= b.id
                AND e.timestamp >= b.first_at AND e.timestamp <= b.last_at
            WHERE b.organization_id = $1 AND b.position >= $2 AND (b.position, e.id) > ($2, $3)
              AND ($5::text[] IS NULL OR e.name = ANY($5::text[]))
              AND ($6::uuid IS NULL OR e.customer_id = $6::uuid)
            ORDER BY b.position, e.id LIMIT $4
        ) AS e
        LEFT JOIN customer c ON c.organization_id = $1 AND c.id = e.customer_id
        ORDER BY e.position, e.id
        """,
        [organization_id, after.number, after.id, limit, names, customer_id],
    )
    return [Entry(Cursor(row["position"], row["id"]), row) for row in rows]


async def read_triggers(
    organization_id: UUID, after: Cursor, limit: int, _selection: Selection[AlertTrigger] | None
) -> list[Entry[AlertTrigger]]:
    """Reads the first triggers of alerts after a cursor, up to a limit."""
    rows = (
        await AlertTrigger.filter(
            Q(revision__gt=after.number) | Q(revision=after.number, id__gt=after.id),
            organization_id=organization_id,
            revision__gte=after.number,
        )
        .order_by("revision", "id")
        .limit(limit)
    )
    return [Entry(Cursor(row.revision, row.id), row) for row in rows]

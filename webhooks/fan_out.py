"""Makes deliveries of what the outbox has: one for each endpoint that wants the type.

The body is rendered first, without a transaction. Then events that no other worker has taken
meanwhile get their bodies and deliveries together. A chunk has all earlier events of its objects
that are still without deliveries, so no delivery exists before an earlier one of its object.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection
from tortoise.transactions import in_transaction

from models import exact_json
from models.identifiers import new_id

CHUNK = 100


@dataclass(frozen=True, slots=True)
class Happened:
    """An event of the outbox."""

    id: UUID
    type: str
    object_id: UUID
    created_at: datetime


Render = Callable[[UUID, Sequence[Happened]], Awaitable[list[dict[str, Any]]]]
"""Returns the object of each event of an organization, as the API shows it."""


async def organizations_with_events() -> list[UUID]:
    """Returns the organizations whose events have no deliveries yet."""
    rows = await get_connection("default").execute_query_dict(
        "SELECT DISTINCT organization_id FROM outbox_event WHERE body IS NULL"
    )
    return [row["organization_id"] for row in rows]


async def fan_out(organization_id: UUID, render: Render) -> int:
    """Makes the deliveries of the next events of an organization. Returns how many events it took.

    Fewer than CHUNK: there are no more.
    """
    rows = await get_connection("default").execute_query_dict(
        """
        SELECT id, type, object_id, created_at, xmin::text AS version FROM outbox_event
        WHERE organization_id = $1 AND body IS NULL
        ORDER BY sequence LIMIT $2
        """,
        [organization_id, CHUNK],
    )
    if rows:
        versions = {row["id"]: row.pop("version") for row in rows}
        events = [Happened(**row) for row in rows]
        objects = await render(organization_id, events)
        bodies = {
            event.id: body_of(event.type, event.created_at, data)
            for event, data in zip(events, objects, strict=True)
        }
        async with in_transaction() as connection:
            await _deliver(connection, organization_id, bodies, versions)
    return len(rows)


def body_of(type_: str, at: datetime, data: dict[str, Any]) -> str:
    """Writes the body of a message."""
    timestamp = at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return exact_json.dumps({"type": type_, "timestamp": timestamp, "data": data})


async def _deliver(
    connection: BaseDBAsyncClient,
    organization_id: UUID,
    bodies: dict[UUID, str],
    versions: dict[UUID, str],
) -> None:
    found = await connection.execute_query_dict(
        """
        SELECT id, sequence, type, object_id, xmin::text AS version FROM outbox_event
        WHERE organization_id = $1 AND id = ANY($2::uuid[]) AND body IS NULL
        ORDER BY sequence
        FOR UPDATE
        """,
        [organization_id, list(bodies)],
    )
    # A row that was written meanwhile is of a customer who was erased: it is rendered again.
    taken = [event for event in found if event["version"] == versions[event["id"]]]
    if not taken:
        return
    # Locked, because a delivery needs its endpoint.
    endpoints = await connection.execute_query_dict(
        """
        SELECT id, event_types FROM webhook_endpoint
        WHERE organization_id = $1 AND disabled_at IS NULL
        ORDER BY id
        FOR KEY SHARE
        """,
        [organization_id],
    )
    await connection.execute_query(
        """
        UPDATE outbox_event AS event SET body = rendered.body
        FROM unnest($2::uuid[], $3::text[]) AS rendered (id, body)
        WHERE event.organization_id = $1 AND event.id = rendered.id
        """,
        [
            organization_id,
            [event["id"] for event in taken],
            [bodies[event["id"]] for event in taken],
        ],
    )
    pairs = [
        (new_id(), endpoint["id"], event["id"], event["object_id"], event["sequence"])
        for event in taken
        for endpoint in endpoints
        if not endpoint["event_types"] or event["type"] in endpoint["event_types"]
    ]
    if pairs:
        await insert_deliveries(connection, organization_id, pairs)


async def insert_deliveries(
    connection: BaseDBAsyncClient,
    organization_id: UUID,
    deliveries: Sequence[tuple[UUID, UUID, UUID, UUID, int]],
) -> None:
    """Stores deliveries that are due: (id, endpoint, event, object, sequence)."""
    await connection.execute_query(
        """
        INSERT INTO webhook_delivery (
            organization_id, id, endpoint_id, event_id, object_id, sequence, status, tries,
            tries_since, next_attempt_at, attempts, created_at
        )
        SELECT $1, made.*, 'PENDING', 0, now(), now(), '[]', now()
        FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::bigint[]) AS made
        """,
        [organization_id, *(list(column) for column in zip(*deliveries, strict=True))],
    )

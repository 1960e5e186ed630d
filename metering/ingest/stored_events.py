"""The statements that store events and look up the events that hold external ids."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from config import tracing
from metering.ingest.events import EventDraft
from metering.live.after_commit import emit
from metering.live.wakeup import PROCESS_EVENTS, Wake

_NEW = """
    unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::timestamptz[], $7::text[])
    WITH ORDINALITY AS new (id, customer_id, name, external_id, timestamp, metadata, number)
"""


@dataclass(frozen=True, slots=True)
class NewEvents:
    """Drafts in order, with their future ids and their customers."""

    ids: list[UUID]
    customer_ids: list[UUID]
    drafts: Sequence[EventDraft]

    @property
    def columns(self) -> list[list[Any]]:
        """An array for each column of `_NEW`."""
        return [
            self.ids,
            self.customer_ids,
            [draft.name for draft in self.drafts],
            [draft.external_id for draft in self.drafts],
            [draft.timestamp for draft in self.drafts],
            [draft.metadata for draft in self.drafts],
        ]

    def without(self, ids: set[UUID]) -> "NewEvents":
        """Returns the events except those with these ids."""
        places = [place for place, event_id in enumerate(self.ids) if event_id not in ids]
        return NewEvents(
            [self.ids[place] for place in places],
            [self.customer_ids[place] for place in places],
            [self.drafts[place] for place in places],
        )


@dataclass(frozen=True, slots=True)
class HeldExternalId:
    """The stored event with the external id of a new one, and the fields in which they differ."""

    event_id: UUID
    differences: tuple[str, ...]


async def insert_events(
    connection: BaseDBAsyncClient, organization_id: UUID, new_events: NewEvents
) -> set[UUID]:
    """Stores the events as a batch without a position and returns the ids of the new ones.

    It is one statement, atomic without a transaction. It skips events whose external id is taken,
    in the table or earlier in `new_events`; if all are, there is no batch. It inserts in the order
    of external ids, so that two transactions cannot deadlock.
    """
    rows = await connection.execute_query_dict(
        f"""
        WITH batch AS MATERIALIZED (
            SELECT nextval(pg_get_serial_sequence('event_batch', 'id')) AS id,
                   clock_timestamp() AS received_at
        ),
        stored AS (
            INSERT INTO event (
                organization_id, id, batch_id, customer_id, name, external_id, timestamp, metadata
            )
            SELECT $1, new.id, batch.id, new.customer_id, new.name, new.external_id,
                   coalesce(new.timestamp, batch.received_at), new.metadata::jsonb
            FROM batch, {_NEW}
            ORDER BY new.external_id, new.number
            ON CONFLICT (organization_id, external_id) WHERE external_id IS NOT NULL DO NOTHING
            RETURNING name
        )
        INSERT INTO event_batch (
            organization_id, id, event_count, names, received_at, traceparent
        )
        SELECT $1, batch.id, count(*), array_agg(DISTINCT stored.name), batch.received_at,
               $8::text
        FROM batch, stored
        GROUP BY batch.id, batch.received_at
        RETURNING id, event_count
        """,
        [organization_id, *new_events.columns, tracing.here()],
    )
    if not rows:
        return set()
    emit(connection, Wake(PROCESS_EVENTS, organization_id))
    if rows[0]["event_count"] == len(new_events.ids):
        return set(new_events.ids)
    rows = await connection.execute_query_dict(
        "SELECT id FROM event WHERE organization_id = $1 AND batch_id = $2",
        [organization_id, rows[0]["id"]],
    )
    return {row["id"] for row in rows}


async def stored_under_external_ids(
    connection: BaseDBAsyncClient, organization_id: UUID, new_events: NewEvents
) -> dict[UUID, HeldExternalId]:
    """Finds the events that hold the external ids of new ones, by the new events' ids.

    A timestamp that was not sent cannot differ. Metadata is compared as JSON: 1 equals 1.0.
    """
    rows = await connection.execute_query_dict(
        f"""
        SELECT new.id AS new_id, held.id,
               held.name <> new.name AS name,
               held.customer_id <> new.customer_id AS customer,
               held.timestamp <> new.timestamp AS timestamp,
               held.metadata <> new.metadata::jsonb AS metadata
        FROM {_NEW}
        -- One by one, by the index. For a large batch sent again, a join would read all events.
        CROSS JOIN LATERAL (
            SELECT * FROM event
            WHERE organization_id = $1 AND external_id = new.external_id
            LIMIT 1
        ) AS held
        """,
        [organization_id, *new_events.columns],
    )
    return {
        row["new_id"]: HeldExternalId(
            row["id"],
            tuple(part for part in ("name", "customer", "timestamp", "metadata") if row[part]),
        )
        for row in rows
    }

"""The statements that store events and look up the events that hold external ids."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from config import tracing
from metering.batches import Batches, events_of_batches
from metering.ingest.events import EventDraft
from metering.live.after_commit import emit
from metering.live.wakeup import PROCESS_EVENTS, Wake

# `customer` is a place in the list of customers.
_NEW = """
    unnest($2::uuid[], $3::int[], $4::text[], $5::text[], $6::timestamptz[], $7::text[])
    WITH ORDINALITY AS new (id, customer, name, external_id, timestamp, metadata, number)
"""
# The list has the customers that were sent by external id, then those that were sent by id.
_CUSTOMERS = """
    customers AS MATERIALIZED (
        SELECT coalesce(array_agg(found.id ORDER BY sent.place), '{}') || $9::uuid[] AS ids,
               count(found.id) = cardinality($8::text[]) AND cardinality($9::uuid[]) = (
                   SELECT count(*) FROM customer
                   WHERE organization_id = $1 AND id = ANY($9::uuid[]) AND erased_at IS NULL
               ) AS are_known
        FROM unnest($8::text[]) WITH ORDINALITY AS sent (external_id, place)
        -- Works as a left join, because each customer that is found was sent. Unlike one, it cannot
        -- become a nested loop over thousands of customers.
        FULL JOIN (
            SELECT id, external_id::text FROM customer
            WHERE organization_id = $1 AND external_id = ANY($8::text[])
            OFFSET 0
        ) AS found USING (external_id)
    )
"""


@dataclass(frozen=True, slots=True)
class NewEvents:
    """Drafts in order, with their future ids and their customers: ids, or external ids as text."""

    ids: list[UUID]
    customers: Sequence[UUID | str]
    drafts: Sequence[EventDraft]

    @property
    def columns(self) -> list[list[Any]]:
        """An array for each column of `_NEW`, and the two of `_CUSTOMERS`."""
        known = dict.fromkeys(self.customers)
        external_ids = [customer for customer in known if isinstance(customer, str)]
        ids = [customer for customer in known if not isinstance(customer, str)]
        places = {customer: place for place, customer in enumerate((*external_ids, *ids), 1)}
        return [
            self.ids,
            [places[customer] for customer in self.customers],
            [draft.name for draft in self.drafts],
            [draft.external_id for draft in self.drafts],
            [draft.timestamp for draft in self.drafts],
            [draft.metadata for draft in self.drafts],
            external_ids,
            ids,
        ]

    def without(self, ids: set[UUID]) -> "NewEvents":
        """Returns the events except those with these ids."""
        places = [place for place, event_id in enumerate(self.ids) if event_id not in ids]
        return NewEvents(
            [self.ids[place] for place in places],
            [self.customers[place] for place in places],
            [self.drafts[place] for place in places],
        )


@dataclass(frozen=True, slots=True)
class HeldExternalId:
    """The stored event with the external id of a new one, and the fields in which they differ.

    `voided_at`: when it was voided, if it was.
    """

    event_id: UUID
    differences: tuple[str, ...]
    voided_at: datetime | None


async def insert_events(
    connection: BaseDBAsyncClient, organization_id: UUID, new_events: NewEvents
) -> set[UUID] | None:
    """Stores the events as a batch without a position and returns the ids of the new ones.

    It is one statement, atomic without a transaction. If a customer is unknown, it stores nothing
    and returns None. It skips events whose external id is taken, by a stored event or earlier in
    `new_events`; if all are, there is no batch. It takes external ids in their order, so that two
    transactions cannot deadlock.
    """
    rows = await connection.execute_query_dict(
        f"""
        WITH {_CUSTOMERS},
        batch AS MATERIALIZED (
            SELECT nextval(pg_get_serial_sequence('event_batch', 'id')) AS id,
                   clock_timestamp() AS received_at
            FROM customers WHERE are_known
        ),
        taken AS (
            INSERT INTO event_key (organization_id, key, event_id, timestamp)
            SELECT $1, external_id_key(new.external_id) AS key, new.id,
                   coalesce(new.timestamp, batch.received_at)
            FROM batch, {_NEW}
            WHERE new.external_id IS NOT NULL
            ORDER BY key, new.number
            ON CONFLICT (organization_id, key) DO NOTHING
            RETURNING event_id
        ),
        stored AS (
            INSERT INTO event (
                organization_id, id, batch_id, customer_id, name, external_id, timestamp, metadata
            )
            SELECT $1, new.id, batch.id, customers.ids[new.customer], new.name, new.external_id,
                   coalesce(new.timestamp, batch.received_at), new.metadata::jsonb
            FROM batch, customers, {_NEW}
            WHERE new.external_id IS NULL OR new.id IN (SELECT event_id FROM taken)
            ORDER BY new.number
            RETURNING name, timestamp
        ),
        made AS (
            INSERT INTO event_batch (
                organization_id, id, event_count, names, received_at, first_at, last_at, traceparent
            )
            SELECT $1, batch.id, count(*), array_agg(DISTINCT stored.name), batch.received_at,
                   min(stored.timestamp), max(stored.timestamp), $10::text
            FROM batch, stored
            GROUP BY batch.id, batch.received_at
            RETURNING id, event_count, first_at, last_at
        )
        SELECT made.*, customers.are_known FROM customers LEFT JOIN made ON true
        """,
        [organization_id, *new_events.columns, tracing.here()],
    )
    [made] = rows
    if not made["are_known"]:
        return None
    if made["id"] is None:
        return set()
    emit(connection, Wake(PROCESS_EVENTS, organization_id))
    if made["event_count"] == len(new_events.ids):
        return set(new_events.ids)
    batch = Batches.of(rows)
    rows = await connection.execute_query_dict(
        f"SELECT id FROM {events_of_batches('$2', '$3')} AS e",
        [organization_id, batch.ids, batch.months],
    )
    return {row["id"] for row in rows}


async def held_external_ids(
    connection: BaseDBAsyncClient, organization_id: UUID, external_ids: Iterable[str | None]
) -> set[str]:
    """Returns those of the external ids that a stored or archived event has."""
    rows = await connection.execute_query_dict(
        """
        SELECT given.external_id FROM unnest($2::text[]) AS given (external_id)
        WHERE EXISTS (
            SELECT FROM event_key
            WHERE organization_id = $1 AND key = external_id_key(given.external_id)
        )
        """,
        [organization_id, [text for text in external_ids if text is not None]],
    )
    return {row["external_id"] for row in rows}


async def stored_under_external_ids(
    connection: BaseDBAsyncClient, organization_id: UUID, new_events: NewEvents
) -> dict[UUID, HeldExternalId]:
    """Finds the events that hold the external ids of new ones, by the new events' ids.

    A timestamp that was not sent cannot differ. Metadata is compared as JSON: 1 equals 1.0. Of an
    archived event, only the timestamp is left to compare.
    """
    rows = await connection.execute_query_dict(
        f"""
        WITH {_CUSTOMERS}
        SELECT new.id AS new_id, taken.event_id AS id,
               held.name <> new.name AS name,
               held.customer_id <> customers.ids[new.customer] AS customer,
               taken.timestamp <> new.timestamp AS timestamp,
               held.metadata <> new.metadata::jsonb AS metadata,
               (
                   SELECT voided_at FROM event_void
                   WHERE organization_id = $1 AND event_id = taken.event_id
               ) AS voided_at
        FROM customers, {_NEW}
        -- One by one, by the index. For a large batch sent again, a join would read all events.
        CROSS JOIN LATERAL (
            SELECT event_id, timestamp FROM event_key
            WHERE organization_id = $1 AND key = external_id_key(new.external_id)
            LIMIT 1
        ) AS taken
        LEFT JOIN LATERAL (
            SELECT * FROM event
            WHERE organization_id = $1 AND id = taken.event_id AND timestamp = taken.timestamp
            LIMIT 1
        ) AS held ON true
        """,
        [organization_id, *new_events.columns],
    )
    return {
        row["new_id"]: HeldExternalId(
            row["id"],
            tuple(part for part in ("name", "customer", "timestamp", "metadata") if row[part]),
            row["voided_at"],
        )
        for row in rows
    }

"""Finds the customers that events name, and creates those whose external id is new."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from metering.ingest.events import EventDraft
from metering.texts import EXTERNAL_ID, text_fault
from models.identifiers import new_id


@dataclass(slots=True)
class KnownCustomers:
    """The customers of a group of events, by id and by external id."""

    ids: set[UUID] = field(default_factory=set)
    by_external_id: dict[str, UUID] = field(default_factory=dict)

    def id_of(self, draft: EventDraft) -> UUID:
        """Returns the customer of a draft, which was found or created."""
        customer = draft.customer
        return self.by_external_id[customer] if isinstance(customer, str) else customer


async def find_customers(
    connection: BaseDBAsyncClient, organization_id: UUID, drafts: Iterable[EventDraft]
) -> KnownCustomers:
    """Finds the customers of the drafts that exist in the organization and are not erased."""
    ids: set[UUID] = set()
    external_ids: set[str] = set()
    for draft in drafts:
        if draft.customer_id is not None:
            ids.add(draft.customer_id)
        elif draft.external_customer_id is not None:
            external_ids.add(draft.external_customer_id)
    known = KnownCustomers()
    if ids:
        rows = await connection.execute_query_dict(
            """
            SELECT id FROM customer
            WHERE organization_id = $1 AND id = ANY($2::uuid[]) AND erased_at IS NULL
            """,
            [organization_id, list(ids)],
        )
        known.ids = {row["id"] for row in rows}
    if external_ids:
        await _find_by_external_id(connection, organization_id, list(external_ids), known)
    return known


async def _find_by_external_id(
    connection: BaseDBAsyncClient,
    organization_id: UUID,
    external_ids: list[str],
    known: KnownCustomers,
) -> None:
    rows = await connection.execute_query_dict(
        """
        SELECT id, external_id FROM customer
        WHERE organization_id = $1 AND external_id = ANY($2::text[])
        """,
        [organization_id, external_ids],
    )
    known.by_external_id.update((row["external_id"], row["id"]) for row in rows)


async def create_missing_customers(
    connection: BaseDBAsyncClient,
    organization_id: UUID,
    drafts: Sequence[EventDraft],
    known: KnownCustomers,
) -> set[UUID]:
    """Creates a customer for each unknown external id, adds it to `known` and returns the new ids.

    It inserts in the order of external ids, so that two transactions cannot deadlock.
    """
    created: set[UUID] = set()
    # A second round happens only if the customer was created or renamed in between.
    while missing := without_customer(drafts, known):
        rows = await connection.execute_query_dict(
            """
            INSERT INTO customer (organization_id, id, external_id, created_at)
            SELECT $1, new.id, new.external_id, now()
            FROM unnest($2::uuid[], $3::text[]) AS new (id, external_id)
            ON CONFLICT (organization_id, external_id) DO NOTHING
            RETURNING id, external_id
            """,
            [organization_id, [new_id() for _ in missing], missing],
        )
        created.update(row["id"] for row in rows)
        known.by_external_id.update((row["external_id"], row["id"]) for row in rows)
        made_by_others = without_customer(drafts, known)
        if made_by_others:
            await _find_by_external_id(connection, organization_id, made_by_others, known)
    return created


def without_customer(drafts: Sequence[EventDraft], known: KnownCustomers) -> list[str]:
    """Returns the drafts' external ids without a known customer, sorted."""
    return sorted(
        {
            draft.external_customer_id
            for draft in drafts
            if draft.external_customer_id is not None
            and draft.external_customer_id not in known.by_external_id
        }
    )


async def remove_unused_customers(
    connection: BaseDBAsyncClient, organization_id: UUID, customer_ids: Collection[UUID]
) -> None:
    """Deletes customers created in this transaction for events that were then not stored."""
    if customer_ids:
        await connection.execute_query(
            "DELETE FROM customer WHERE organization_id = $1 AND id = ANY($2::uuid[])",
            [organization_id, list(customer_ids)],
        )


def is_external_id(text: str) -> bool:
    """Whether this is valid as an external id; PostgreSQL cannot look up every text."""
    return text_fault(text, EXTERNAL_ID) is None

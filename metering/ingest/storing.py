"""Stores the events of several calls in one transaction, by set-based SQL.

Each call keeps its own policy and gets its own receipts. The events become a batch without a
position, which the log counts later.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection
from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from metering.ingest.customers import (
    KnownCustomers,
    create_missing_customers,
    find_customers,
    remove_unused_customers,
    without_customer,
)
from metering.ingest.events import EventDraft, unknown_customer
from metering.ingest.stored_events import (
    HeldExternalId,
    NewEvents,
    insert_events,
    stored_under_external_ids,
)
from metering.live.outbox import OutboxType, publish
from metering.months import is_month_missing, make_months
from metering.problems import Problem
from models.identifiers import new_id


class InvalidEventPolicy(StrEnum):
    """What to do with the valid events of a call that has invalid ones."""

    REJECT_BATCH = "REJECT_BATCH"
    SKIP_INVALID = "SKIP_INVALID"


class ReceiptStatus(StrEnum):
    """The status of a receipt: EventReceiptStatus of the API."""

    INSERTED = "INSERTED"
    DUPLICATE = "DUPLICATE"
    CONFLICT = "CONFLICT"
    REJECTED = "REJECTED"
    SKIPPED = "SKIPPED"


class Receipt(NamedTuple):
    """The outcome of one event. `event_id` is that of the stored or conflicting event."""

    status: ReceiptStatus
    event_id: UUID | None = None
    error: Problem | None = None


@dataclass(frozen=True, slots=True)
class IngestCall:
    """The events of one call in order, each checked or already refused."""

    events: Sequence[EventDraft | Problem]
    on_invalid: InvalidEventPolicy

    @property
    def drafts(self) -> list[EventDraft]:
        """The events that were not refused."""
        return [event for event in self.events if isinstance(event, EventDraft)]


async def ingest(organization_id: UUID, calls: Sequence[IngestCall]) -> list[list[Receipt]]:
    """Stores the events of the calls in one commit and returns the receipts of each call.

    It returns after the commit and raises what the database raises. The calls can then be sent
    again; if they were stored all the same, an externalId makes that harmless.
    """
    try:
        return await _ingest(organization_id, calls)
    except IntegrityError as error:
        if not is_month_missing(error):
            raise
    # Nothing is stored. An event without a timestamp gets the present one.
    given = {draft.timestamp for call in calls for draft in call.drafts}
    await make_months({timestamp or await _now() for timestamp in given})
    return await _ingest(organization_id, calls)


async def _now() -> datetime:
    rows = await get_connection("default").execute_query_dict("SELECT clock_timestamp() AS now")
    now: datetime = rows[0]["now"]
    return now


async def _ingest(organization_id: UUID, calls: Sequence[IngestCall]) -> list[list[Receipt]]:
    # Refused calls are included, because every error of a batch is reported at once.
    drafts = [draft for call in calls for draft in call.drafts]
    customers = await find_customers(get_connection("default"), organization_id, drafts)
    calls = [_with_unknown_customers(call, customers.ids) for call in calls]
    storing = [_may_store(call) for call in calls]
    drafts = [
        draft
        for call, stores in zip(calls, storing, strict=True)
        if stores
        for draft in call.drafts
    ]
    stored = iter(await _store(organization_id, drafts, customers))
    return [
        [
            next(stored) if isinstance(event, EventDraft) else _rejected(event)
            for event in call.events
        ]
        if stores
        else _refused_receipts(call)
        for call, stores in zip(calls, storing, strict=True)
    ]


def _may_store(call: IngestCall) -> bool:
    drafts = len(call.drafts)
    return drafts > 0 and (
        drafts == len(call.events) or call.on_invalid is InvalidEventPolicy.SKIP_INVALID
    )


def _refused_receipts(call: IngestCall) -> list[Receipt]:
    return [
        Receipt(ReceiptStatus.REJECTED, error=event)
        if isinstance(event, Problem)
        else Receipt(ReceiptStatus.SKIPPED)
        for event in call.events
    ]


def _rejected(error: Problem) -> Receipt:
    return Receipt(ReceiptStatus.REJECTED, error=error)


def _with_unknown_customers(call: IngestCall, known: set[UUID]) -> IngestCall:
    if all(
        isinstance(event, Problem) or event.customer_id is None or event.customer_id in known
        for event in call.events
    ):
        return call
    return IngestCall(
        [
            unknown_customer()
            if isinstance(event, EventDraft)
            and event.customer_id is not None
            and event.customer_id not in known
            else event
            for event in call.events
        ],
        call.on_invalid,
    )


async def _store(
    organization_id: UUID, drafts: Sequence[EventDraft], customers: KnownCustomers
) -> list[Receipt]:
    if not drafts:
        return []
    if not without_customer(drafts, customers):
        # One statement is enough; a transaction would add two round trips.
        return await _insert(get_connection("default"), organization_id, drafts, customers, set())
    async with in_transaction() as connection:
        created = await create_missing_customers(connection, organization_id, drafts, customers)
        return await _insert(connection, organization_id, drafts, customers, created)


async def _insert(
    connection: BaseDBAsyncClient,
    organization_id: UUID,
    drafts: Sequence[EventDraft],
    customers: KnownCustomers,
    created: set[UUID],
) -> list[Receipt]:
    new_events = NewEvents(
        [new_id() for _ in drafts], [customers.id_of(draft) for draft in drafts], drafts
    )
    inserted = await insert_events(connection, organization_id, new_events)
    status = ReceiptStatus.INSERTED
    if len(inserted) == len(drafts):
        await _publish_created(connection, organization_id, created)
        return [Receipt(status, event_id) for event_id in new_events.ids]
    held = await stored_under_external_ids(
        connection, organization_id, new_events.without(inserted)
    )
    used = {
        customer_id
        for event_id, customer_id in zip(new_events.ids, new_events.customer_ids, strict=True)
        if event_id in inserted
    }
    await remove_unused_customers(connection, organization_id, created - used)
    await _publish_created(connection, organization_id, created & used)
    return [
        Receipt(status, event_id) if event_id in inserted else _held_receipt(held[event_id])
        for event_id in new_events.ids
    ]


async def _publish_created(
    connection: BaseDBAsyncClient, organization_id: UUID, customer_ids: Iterable[UUID]
) -> None:
    await publish(connection, organization_id, OutboxType.CUSTOMER_CREATED, *sorted(customer_ids))


def _held_receipt(held: HeldExternalId) -> Receipt:
    if not held.differences:
        return Receipt(ReceiptStatus.DUPLICATE, held.event_id)
    message = f"Another event has this externalId; it differs in {', '.join(held.differences)}."
    return Receipt(
        ReceiptStatus.CONFLICT, held.event_id, Problem("CONFLICT", message, ("externalId",))
    )

"""Stores the events of several calls in one transaction, by set-based SQL.

Each call keeps its own policy and gets its own receipts. The events become a batch without a
position, which the log counts later.
"""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection
from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from metering.archive.boundary import accepted_from
from metering.ingest.customers import (
    KnownCustomers,
    create_missing_customers,
    find_customers,
    remove_unused_customers,
)
from metering.ingest.events import EventDraft, unknown_customer
from metering.ingest.stored_events import (
    HeldExternalId,
    NewEvents,
    held_external_ids,
    insert_events,
    stored_under_external_ids,
)
from metering.language.instants import format_instant
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
    """The outcome of one event. `event_id` is that of the stored or conflicting event.

    `voided_at` is when that event was voided, if it was.
    """

    status: ReceiptStatus
    event_id: UUID | None = None
    error: Problem | None = None
    voided_at: datetime | None = None


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
    return await _ingest(organization_id, await _without_archived(organization_id, calls))


async def _now() -> datetime:
    rows = await get_connection("default").execute_query_dict("SELECT clock_timestamp() AS now")
    now: datetime = rows[0]["now"]
    return now


async def _ingest(organization_id: UUID, calls: Sequence[IngestCall]) -> list[list[Receipt]]:
    pool = get_connection("default")
    drafts = [draft for call in calls for draft in call.drafts]
    if drafts and len(drafts) == sum(len(call.events) for call in calls):
        # One statement is enough if all customers are known, as they nearly always are.
        customers = [draft.customer for draft in drafts]
        receipts = await _insert(pool, organization_id, drafts, customers)
        if receipts is not None:
            stored = iter(receipts)
            return [[next(stored) for _event in call.events] for call in calls]
    # Refused calls are included, because every error of a batch is reported at once.
    known = await find_customers(pool, organization_id, drafts)
    calls = [_with_unknown_customers(call, known.ids) for call in calls]
    storing = [_may_store(call) for call in calls]
    drafts = [
        draft
        for call, stores in zip(calls, storing, strict=True)
        if stores
        for draft in call.drafts
    ]
    receipts = await _store(organization_id, drafts, known)
    if receipts is None:
        # A customer was erased after it was found. Now it is refused or made again.
        return await _ingest(organization_id, calls)
    stored = iter(receipts)
    return [
        [
            next(stored) if isinstance(event, EventDraft) else _rejected(event)
            for event in call.events
        ]
        if stores
        else _refused_receipts(call)
        for call, stores in zip(calls, storing, strict=True)
    ]


async def _without_archived(
    organization_id: UUID, calls: Sequence[IngestCall]
) -> Sequence[IngestCall]:
    """Refuses events of archived months, except those that were stored before: they are known."""
    connection = get_connection("default")
    start = await accepted_from(connection)
    if start is None:
        return calls
    early = {
        draft
        for call in calls
        for draft in call.drafts
        if draft.timestamp is not None and draft.timestamp < start
    }
    known = await held_external_ids(
        connection, organization_id, {draft.external_id for draft in early}
    )
    refused = {draft for draft in early if draft.external_id not in known}
    problem = Problem(
        "EVENTS_ARCHIVED",
        f"timestamp is before {format_instant(start)}: events from before that are archived, and"
        " no more of them are stored.",
        ("timestamp",),
    )
    return [
        IngestCall(
            [problem if event in refused else event for event in call.events], call.on_invalid
        )
        for call in calls
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
    organization_id: UUID, drafts: Sequence[EventDraft], known: KnownCustomers
) -> list[Receipt] | None:
    """Returns the receipts of the drafts; None, with nothing stored, if a customer is gone."""
    if not drafts:
        return []
    async with in_transaction() as connection:
        created = await create_missing_customers(connection, organization_id, drafts, known)
        # By their ids, because another transaction may change an external id.
        customers = [known.id_of(draft) for draft in drafts]
        receipts = await _insert(connection, organization_id, drafts, customers, created)
        if receipts is None:
            await remove_unused_customers(connection, organization_id, created)
        return receipts


async def _insert(
    connection: BaseDBAsyncClient,
    organization_id: UUID,
    drafts: Sequence[EventDraft],
    customers: Sequence[UUID | str],
    created: AbstractSet[UUID] = frozenset(),
) -> list[Receipt] | None:
    """Returns the receipts of the drafts; None, with nothing stored, if a customer is unknown."""
    new_events = NewEvents([new_id() for _ in drafts], customers, drafts)
    inserted = await insert_events(connection, organization_id, new_events)
    if inserted is None:
        return None
    status = ReceiptStatus.INSERTED
    if len(inserted) == len(drafts):
        await _publish_created(connection, organization_id, created)
        return [Receipt(status, event_id) for event_id in new_events.ids]
    held = await stored_under_external_ids(
        connection, organization_id, new_events.without(inserted)
    )
    used = {
        customer
        for event_id, customer in zip(new_events.ids, customers, strict=True)
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
        return Receipt(ReceiptStatus.DUPLICATE, held.event_id, voided_at=held.voided_at)
    message = f"Another event has this externalId; it differs in {', '.join(held.differences)}."
    return Receipt(
        ReceiptStatus.CONFLICT,
        held.event_id,
        Problem("CONFLICT", message, ("externalId",)),
        held.voided_at,
    )

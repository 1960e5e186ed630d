"""Fills the demo organization with 90 days of customers, events and invoices, once.

Events are stored and counted like those of the API: in batches, and each only once, because it
has an external id. After an interruption, the next run completes them. Plans, subscriptions and
invoices follow in one transaction.
"""

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import asyncpg
from tortoise.connection import get_connection
from tortoise.transactions import in_transaction

from billing.transaction import columns
from config import clock
from config.settings import Settings
from metergraph.database.database_url import credentials
from metergraph.demo.billing import DemoBilling
from metergraph.demo.customers import CUSTOMERS
from metergraph.demo.history import history, life_of
from metergraph.demo.organization import METER_NAMES
from metering.counting.log import advance, lock_log
from metering.ingest.events import EventDraft
from metering.ingest.storing import IngestCall, InvalidEventPolicy, ingest
from metering.usage.windows import zone_of
from models import (
    Customer,
    CustomerSubscription,
    Event,
    Invoice,
    Meter,
    Organization,
    Product,
)
from models.identifiers import new_id

SEED = 7
_EVENTS_A_CALL = 5_000
# Held while filling, so that a second run waits for the first and then finds its work done.
_FILLING_LOCK = 0x6D6567_64656D6F


@dataclass(frozen=True, slots=True)
class Filled:
    """The numbers of objects in an organization that was filled."""

    customers: int
    events: int
    products: int
    subscriptions: int
    invoices: int


async def fill(settings: Settings, organization: Organization, seed: int = SEED) -> Filled | None:
    """Makes the history, unless the organization has a product or lacks one of the demo's meters.

    Args:
        settings: the database's URL.
        organization: the demo organization.
        seed: determines the events.
    """
    async with _alone(settings):
        meters = await _meters(organization.id)
        if meters is None or await Product.exists(organization_id=organization.id):
            return None
        now, zone = clock.now(), zone_of(organization.timezone)
        await _make_customers(organization)
        for events in _in_calls(history(now, zone, seed)):
            await ingest(organization.id, [IngestCall(events, InvalidEventPolicy.REJECT_BATCH)])
        await _count(organization.id)
        async with in_transaction() as connection:
            # From here on, no other process bills in this organization.
            await lock_log(connection, organization.id)
            if await Product.exists(organization_id=organization.id):
                return None
            await DemoBilling(organization.id, meters, now, zone, seed).make()
    return await _filled(organization.id)


@asynccontextmanager
async def _alone(settings: Settings) -> AsyncIterator[None]:
    connection = await asyncpg.connect(**credentials(str(settings.database_url)))
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _FILLING_LOCK)
        yield
    finally:
        await connection.close()


async def _meters(organization_id: UUID) -> dict[str, UUID] | None:
    rows = await Meter.filter(
        organization_id=organization_id, name__in=METER_NAMES, archived_at=None
    ).order_by("-id")
    found = {row.name: row.id for row in rows}
    return found if len(found) == len(METER_NAMES) else None


async def _make_customers(organization: Organization) -> None:
    """Makes the customers, or completes those that have only an external id."""
    now, zone = clock.now(), zone_of(organization.timezone)
    await get_connection("default").execute_query(
        """
        INSERT INTO customer (organization_id, id, external_id, name, email, created_at)
        SELECT $1, made.*
        FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
            AS made (id, external_id, name, email, created_at)
        ORDER BY made.external_id
        ON CONFLICT (organization_id, external_id)
            DO UPDATE SET name = excluded.name, email = excluded.email
            WHERE customer.name IS NULL AND customer.email IS NULL
        """,
        [
            organization.id,
            # Later customers have later ids, by which lists are ordered.
            *columns(
                sorted(CUSTOMERS, key=lambda customer: life_of(customer, now, zone).began_at),
                lambda _customer: new_id(),
                lambda customer: customer.external_id,
                lambda customer: customer.name,
                lambda customer: customer.email,
                lambda customer: life_of(customer, now, zone).began_at,
            ),
        ],
    )


def _in_calls(days: Iterable[list[EventDraft]]) -> Iterator[list[EventDraft]]:
    """Groups days into lists large enough for one call."""
    call: list[EventDraft] = []
    for events in days:
        call += events
        if len(call) >= _EVENTS_A_CALL:
            yield call
            call = []
    if call:
        yield call


async def _count(organization_id: UUID) -> None:
    while await advance(organization_id):
        pass


async def _filled(organization_id: UUID) -> Filled:
    return Filled(
        customers=await Customer.filter(organization_id=organization_id).count(),
        events=await Event.filter(organization_id=organization_id).count(),
        products=await Product.filter(organization_id=organization_id).count(),
        subscriptions=await CustomerSubscription.filter(organization_id=organization_id).count(),
        invoices=await Invoice.filter(organization_id=organization_id).count(),
    )

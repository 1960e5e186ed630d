"""Workers erase metadata: killed, two at once, for several tenants, of events on their way."""

import asyncio
import signal
import sys
import textwrap
from typing import Any
from uuid import UUID

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from metering.erasing import events
from metering.erasing.events import Step, erase_span
from metering.language.aggregations import AggregationFunction
from models import Customer, CustomerErasure, CustomerMeter, ErasedCount, Organization, UsageDrift
from tests.ingesting import catch_up_all, drain, meter_of, send, usages
from tests.metering.erasing import begin_erasing, erase_all, metadata_left, on_their_way
from tests.metering.test_audit import audit
from waiting.patience import Patience
from workers.erase_customers import erase_customers

EVENTS = 12

_WORKER = textwrap.dedent(
    """
    import asyncio, os, signal, sys
    from uuid import UUID
    from config.settings import Settings
    from metergraph.database.opening import opened_database
    from metering.erasing import events

    async def die(*_arguments):
        os.kill(os.getpid(), signal.SIGKILL)

    async def main(url, organization_id, customer_id):
        events.SPAN_EVENTS = 3
        async with opened_database(Settings(database_url=url), role="test"):
            await events.erase_span(organization_id, customer_id)
            events.tally = die  # when the metadata is replaced
            await events.erase_span(organization_id, customer_id)

    asyncio.run(main(sys.argv[1], UUID(sys.argv[2]), UUID(sys.argv[3])))
    """
)


@pytest.fixture(autouse=True)
def _short_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "SPAN_EVENTS", 3)


async def used_by(organization: Organization, name: str = "c1") -> UUID:
    """A customer with usage on two meters."""
    for function in (AggregationFunction.SUM, AggregationFunction.UNIQUE):
        await meter_of(organization.id, function)
    await catch_up_all(organization.id)
    used = usages(range(EVENTS))
    await send(organization.id, *({**one, "externalCustomerId": name} for one in used))
    await drain(organization.id)
    customer = await Customer.get(organization_id=organization.id, external_id=name)
    return customer.id


async def consumed(organization: Organization) -> list[Any]:
    rows = await CustomerMeter.filter(organization_id=organization.id).order_by("meter_id", "id")
    return [(row.consumed, row.count, row.unique_count) for row in rows]


async def counts(organization: Organization) -> set[int]:
    rows = await ErasedCount.filter(organization_id=organization.id)
    return {row.events for row in rows}


@pytest.mark.servers
async def test_a_killed_worker_loses_nothing_and_another_goes_on(
    organization: Organization, database: BaseDBAsyncClient, database_url: str
) -> None:
    customer = await used_by(organization)
    before = await consumed(organization)
    await begin_erasing(organization.id, customer)
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _WORKER, database_url, str(organization.id), str(customer)
    )
    assert await worker.wait() == -signal.SIGKILL
    assert 0 < await metadata_left(database, organization.id, customer) < EVENTS
    await erase_all(organization.id, customer)
    assert await metadata_left(database, organization.id, customer) == 0
    assert await counts(organization) == {EVENTS}
    assert await consumed(organization) == before
    await audit(organization)
    assert await UsageDrift.filter(organization_id=organization.id).count() == 0


async def test_two_workers_erase_each_event_once(
    organization: Organization, database: BaseDBAsyncClient
) -> None:
    customer = await used_by(organization)
    await begin_erasing(organization.id, customer)
    await asyncio.gather(*(erase_customers(Patience()) for _ in range(2)))
    await erase_all_left(organization, customer)
    assert await counts(organization) == {EVENTS}
    erasure = await CustomerErasure.get(organization_id=organization.id, customer_id=customer)
    assert erasure.erased_events == EVENTS


async def erase_all_left(organization: Organization, customer: UUID) -> None:
    while await erase_span(organization.id, customer) is Step.MORE:
        pass


async def test_a_long_erasure_does_not_hold_up_another_tenant(
    organization: Organization,
    other_organization: Organization,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Customers have turns; one whose erasure fails does not stop the others."""
    long, short = await used_by(organization), await used_by(other_organization)
    broken = await used_by(organization, "c2")
    for owner, customer in ((organization, broken), (organization, long)):
        await begin_erasing(owner.id, customer)
    await begin_erasing(other_organization.id, short)
    order: list[UUID] = []
    erase = events.erase_span

    async def noted(organization_id: UUID, customer_id: UUID) -> Step:
        if customer_id == broken:
            raise ValueError("a fault of this customer's events")
        step = await erase(organization_id, customer_id)
        order.append(customer_id)
        return step

    monkeypatch.setattr("workers.erase_customers.erase_span", noted)
    await erase_customers(Patience())
    mine = [customer for customer in order if customer in (long, short)]
    assert mine[:4] == [long, short, long, short]
    left = await CustomerErasure.filter(next_from__isnull=False, customer_id__in=[long, short])
    assert left == []


async def test_events_that_are_on_their_way_are_erased_when_they_arrive(
    organization: Organization, database: BaseDBAsyncClient
) -> None:
    """They are stored before the customer is erased, and committed after."""
    customer = await used_by(organization)
    async with on_their_way(lambda _connection: send(organization.id, *usages([100]))):
        await begin_erasing(organization.id, customer)
        await erase_all(organization.id, customer)
    assert await metadata_left(database, organization.id, customer) == 1
    await drain(organization.id)
    erasure = await CustomerErasure.get(organization_id=organization.id, customer_id=customer)
    assert erasure.finished_at is None
    await erase_all(organization.id, customer)
    assert await metadata_left(database, organization.id, customer) == 0
    assert [row[1] for row in await consumed(organization)] == [EVENTS + 1] * 2
    await audit(organization)
    assert await UsageDrift.filter(organization_id=organization.id).count() == 0


async def test_events_that_were_stored_before_and_are_not_counted_are_waited_for(
    organization: Organization, database: BaseDBAsyncClient
) -> None:
    customer = await used_by(organization)
    await send(organization.id, *usages([100]))
    await begin_erasing(organization.id, customer)
    await erase_all_left(organization, customer)
    erasure = await CustomerErasure.get(organization_id=organization.id, customer_id=customer)
    assert (erasure.erased_events, erasure.finished_at) == (EVENTS, None)
    await erase_all(organization.id, customer)
    assert await metadata_left(database, organization.id, customer) == 0

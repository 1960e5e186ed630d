"""Clients that send at the same time: each event is stored once, and none waits for ever."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import pytest

from config.settings import Settings
from metering.ingest.events import unknown_customer
from metering.ingest.storing import Receipt, ReceiptStatus
from models import Customer, Event, EventBatch, Organization
from schema.ids import encode_id
from tests.metering import ingest_calls
from tests.metering.erasing import begin_erasing
from tests.postgres import connection_to

INSERTED, DUPLICATE = ReceiptStatus.INSERTED, ReceiptStatus.DUPLICATE


async def send(organization: Organization, events: list[dict[str, Any]]) -> list[Receipt]:
    return await ingest_calls.send(organization, *events)


def events(
    numbers: range | list[int], customers: int = 5, prefix: str = "e"
) -> list[dict[str, Any]]:
    return [
        {
            "externalId": f"{prefix}{number}",
            "externalCustomerId": f"c{number % customers}",
            "metadata": {"n": number},
        }
        for number in numbers
    ]


async def assert_stored_once(organization: Organization, count: int) -> None:
    """Every event once, and the batches say how many there are."""
    assert await Event.filter(organization_id=organization.id).count() == count
    batches = await EventBatch.filter(organization_id=organization.id)
    assert sum(batch.event_count for batch in batches) == count
    for batch in batches:
        stored = await Event.filter(organization_id=organization.id, batch_id=batch.id).count()
        assert (stored, stored > 0) == (batch.event_count, True)


@pytest.mark.parametrize("size", [1, 100])
@pytest.mark.parametrize("senders", [2, 8])
async def test_a_batch_sent_at_once_by_several_is_stored_once(
    organization: Organization, size: int, senders: int
) -> None:
    batch = events(range(size))
    answers = await asyncio.gather(*(send(organization, batch) for _ in range(senders)))
    for receipts in zip(*answers, strict=True):
        assert Counter(receipt.status for receipt in receipts) == {
            INSERTED: 1,
            DUPLICATE: senders - 1,
        }
        assert len({receipt.event_id for receipt in receipts}) == 1
    await assert_stored_once(organization, size)
    assert await Customer.filter(organization_id=organization.id).count() == min(size, 5)


async def test_overlapping_batches_in_opposite_orders_do_not_deadlock(
    organization: Organization,
) -> None:
    """Enough of them, in any order, with customers that are all new: no deadlock."""
    shuffled = random.Random(7)
    for round_number in range(5):
        batches = []
        for _ in range(8):
            batch = events(range(200), customers=50, prefix=f"{round_number}-")
            shuffled.shuffle(batch)
            batches.append(batch)
        async with asyncio.timeout(120):
            answers = await asyncio.gather(*(send(organization, batch) for batch in batches))
        counts = Counter(receipt.status for receipts in answers for receipt in receipts)
        assert counts == {INSERTED: 200, DUPLICATE: 1_400}
    await assert_stored_once(organization, 1_000)


@pytest.fixture
async def rival(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """A connection of another process, in whose transaction something is stored already."""
    async with connection_to(settings) as connection:
        yield connection


STORE_E0 = """
WITH customer AS (
    INSERT INTO customer (organization_id, id, external_id, created_at)
    VALUES ($1, gen_random_uuid(), 'c0', now()) RETURNING id
), batch AS (
    INSERT INTO event_batch (organization_id, event_count, names, received_at)
    VALUES ($1, 1, '{ai_usage}', now()) RETURNING id
), taken AS (
    INSERT INTO event_key (organization_id, key, event_id, timestamp)
    VALUES ($1, 'e0', gen_random_uuid(), now()) RETURNING event_id
)
INSERT INTO event (
    organization_id, id, batch_id, customer_id, name, external_id, timestamp, metadata
)
SELECT $1, taken.event_id, batch.id, customer.id, 'ai_usage', 'e0', now(), '{"n": 0}'
FROM customer, batch, taken
"""


async def blocked_by(rival: asyncpg.Connection) -> None:
    """Returns once somebody waits for what the rival holds."""
    while not await rival.fetch(
        "SELECT 1 FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))"
    ):
        pass


async def test_a_sender_waits_for_the_other_and_then_sees_what_it_stored(
    organization: Organization, rival: asyncpg.Connection
) -> None:
    async with asyncio.timeout(120), rival.transaction():
        await rival.execute(STORE_E0, organization.id)
        sending = asyncio.create_task(send(organization, events(range(2))))
        await blocked_by(rival)
    assert [receipt.status for receipt in await sending] == [DUPLICATE, INSERTED]
    await assert_stored_once(organization, 2)
    assert await Customer.filter(organization_id=organization.id).count() == 2


async def test_a_sender_whose_rival_gives_up_stores_it_itself(
    organization: Organization, rival: asyncpg.Connection
) -> None:
    async with asyncio.timeout(120):
        transaction = rival.transaction()
        await transaction.start()
        await rival.execute(STORE_E0, organization.id)
        sending = asyncio.create_task(send(organization, events(range(2))))
        await blocked_by(rival)
        await transaction.rollback()
    assert [receipt.status for receipt in await sending] == [INSERTED, INSERTED]
    await assert_stored_once(organization, 2)


async def erased_while_sending(
    organization: Organization, rival: asyncpg.Connection, named: Callable[[Customer], Any]
) -> tuple[Customer, list[Receipt]]:
    """A customer is erased after a sender has found it, while the sender waits for another."""
    await send(organization, [{"externalCustomerId": "c1"}])
    customer = await Customer.get(organization_id=organization.id, external_id="c1")
    batch = [{"externalCustomerId": "c0"}, named(customer), {"externalCustomerId": "c2"}]
    async with asyncio.timeout(120):
        async with rival.transaction():
            await rival.execute(STORE_E0, organization.id)
            sending = asyncio.create_task(send(organization, batch))
            await blocked_by(rival)
            await begin_erasing(organization.id, customer.id)
        return customer, await sending


async def test_a_customer_erased_after_it_was_found_is_made_again(
    organization: Organization, rival: asyncpg.Connection
) -> None:
    erased, receipts = await erased_while_sending(
        organization, rival, lambda _customer: {"externalCustomerId": "c1"}
    )
    assert ingest_calls.statuses(receipts) == [INSERTED] * 3
    made = await Customer.get(organization_id=organization.id, external_id="c1")
    assert made.id != erased.id
    assert await Event.filter(organization_id=organization.id, customer_id=made.id).count() == 1
    assert await Event.filter(organization_id=organization.id, customer_id=erased.id).count() == 1
    await assert_stored_once(organization, 5)


async def test_the_id_of_a_customer_erased_after_it_was_found_is_refused(
    organization: Organization, rival: asyncpg.Connection
) -> None:
    _, (first, refused, last) = await erased_while_sending(
        organization,
        rival,
        lambda customer: {
            "customerId": encode_id("Customer", customer.id),
            "externalCustomerId": None,
        },
    )
    assert [first.status, last.status] == [ReceiptStatus.SKIPPED] * 2
    assert refused.status is ReceiptStatus.REJECTED
    assert refused.error == unknown_customer()
    # The rival's and the erased one: none is left of those that the batch made.
    assert set(await ingest_calls.customers_of(organization)) == {"c0", None}
    await assert_stored_once(organization, 2)


async def test_one_external_id_with_other_contents_at_once_is_stored_once(
    organization: Organization,
) -> None:
    for number in range(10):
        rivals = [{"externalId": f"{number}", "metadata": {"by": by}} for by in range(4)]
        answers = await asyncio.gather(*(send(organization, [rival]) for rival in rivals))
        receipts = [receipts[0] for receipts in answers]
        assert Counter(receipt.status for receipt in receipts) == {
            INSERTED: 1,
            ReceiptStatus.CONFLICT: 3,
        }
        assert len({receipt.event_id for receipt in receipts}) == 1
    await assert_stored_once(organization, 10)


async def test_a_customer_taken_back_by_one_is_made_by_the_other(
    organization: Organization,
) -> None:
    """One sender's only event for a customer conflicts; another's event for it is new."""
    await send(organization, [{"externalId": "taken", "externalCustomerId": "c"}])
    for number in range(20):
        new = f"new-{number}"
        conflicting, fresh = await asyncio.gather(
            send(organization, [{"externalId": "taken", "externalCustomerId": new}]),
            send(organization, [{"externalId": f"fresh-{number}", "externalCustomerId": new}]),
        )
        assert [conflicting[0].status, fresh[0].status] == [ReceiptStatus.CONFLICT, INSERTED]
        customer = await Customer.get(organization_id=organization.id, external_id=new)
        event = await Event.get(organization_id=organization.id, external_id=f"fresh-{number}")
        assert event.customer_id == customer.id

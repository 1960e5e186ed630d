"""Events into the database: as they were sent, with the customers made for them, in one commit."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from metering.ingest.storing import ingest
from models import Customer, Event, Organization
from schema.ids import encode_id
from tests.metering.ingest_calls import (
    CONFLICT,
    DUPLICATE,
    INSERTED,
    INVALID,
    REJECTED,
    SKIP,
    SKIPPED,
    batches_of,
    call,
    customers_of,
    send,
    statuses,
)


async def test_an_event_is_stored_as_it_was_sent(organization: Organization) -> None:
    metadata = {"model": "gpt-4o", "cost": Decimal("0.30000000000000004"), "wide": 10**30}
    [receipt] = await send(
        organization,
        {"externalId": "e1", "timestamp": "2026-02-01T00:00:00.000001Z", "metadata": metadata},
    )
    assert receipt.status is INSERTED
    event = await Event.get(organization_id=organization.id)
    [customer] = await Customer.filter(organization_id=organization.id)
    [batch] = await batches_of(organization)
    assert (event.id, event.customer_id, event.batch_id) == (
        receipt.event_id,
        customer.id,
        batch.id,
    )
    assert (event.name, event.external_id) == ("ai_usage", "e1")
    assert event.timestamp == datetime(2026, 2, 1, 0, 0, 0, 1, UTC)
    assert event.metadata == metadata
    assert (batch.event_count, batch.names, batch.position) == (1, ["ai_usage"], None)


async def test_without_a_timestamp_an_event_happened_when_it_was_received(
    organization: Organization,
) -> None:
    before = datetime.now(UTC)
    await send(organization, {}, {})
    after = datetime.now(UTC)
    [batch] = await batches_of(organization)
    assert {event.timestamp for event in await Event.filter(organization_id=organization.id)} == {
        batch.received_at
    }
    # The database's clock and ours are the same machine's in tests, or nearly so.
    leeway = timedelta(minutes=1)
    assert before - leeway <= batch.received_at <= after + leeway


async def test_the_widest_texts_are_stored(organization: Organization) -> None:
    event = {
        "name": "😀" * 128,
        "externalId": "😀" * 256,
        "externalCustomerId": "😀" * 256,
        "metadata": {"😀" * 64: "😀" * 1_000},
    }
    assert statuses(await send(organization, event)) == [INSERTED]
    assert statuses(await send(organization, event)) == [DUPLICATE]


async def test_ids_follow_the_order_of_the_call(organization: Organization) -> None:
    receipts = await send(organization, *({"externalId": f"{9 - n}"} for n in range(10)))
    ids = [receipt.event_id for receipt in receipts]
    assert ids == sorted(ids, key=str)


async def test_nothing_sent_is_nothing_stored(organization: Organization) -> None:
    assert await send(organization) == []
    assert await ingest(organization.id, []) == []
    assert await batches_of(organization) == []


async def test_a_customer_is_made_once_for_an_external_id(organization: Organization) -> None:
    await send(organization, {"externalCustomerId": "b"}, {"externalCustomerId": "a"}, {})
    await send(organization, {"externalCustomerId": "a"})
    assert await customers_of(organization) == ["a", "b", "c1"]


async def test_a_customer_can_be_named_either_way(organization: Organization) -> None:
    customer = await Customer.create(organization_id=organization.id, external_id="c1")
    public_id = encode_id("Customer", customer.id)
    by_id = {"externalCustomerId": None, "customerId": public_id, "externalId": "e1"}
    assert statuses(await send(organization, by_id)) == [INSERTED]
    assert statuses(await send(organization, {"externalId": "e1"})) == [DUPLICATE]
    assert (await Event.get(organization_id=organization.id)).customer_id == customer.id


async def test_each_event_of_a_call_belongs_to_its_own_customer(
    organization: Organization,
) -> None:
    made = [
        await Customer.create(organization_id=organization.id, external_id=f"c{number}")
        for number in range(12)
    ]
    named = [
        {"customerId": encode_id("Customer", customer.id), "externalCustomerId": None}
        if number % 3 == 0
        else {"externalCustomerId": customer.external_id}
        for number, customer in enumerate(made)
    ]
    # Twice with all customers known, and once with one that the call makes.
    for new in ([], [], [{"externalCustomerId": "new"}]):
        receipts = await send(organization, *reversed(named), *new, *named)
        stored = await Event.filter(organization_id=organization.id).in_bulk(
            [receipt.event_id for receipt in receipts], "id"
        )
        found = [stored[receipt.event_id].customer_id for receipt in receipts]
        expected = [customer.id for customer in made]
        if new:
            customer = await Customer.get(organization_id=organization.id, external_id="new")
            expected.append(customer.id)
        assert found == [*reversed(expected[:12]), *expected[12:], *expected[:12]]


async def test_an_unknown_customer_refuses_the_batch_like_any_other_fault(
    organization: Organization,
) -> None:
    unknown = {"externalCustomerId": None, "customerId": encode_id("Customer", UUID(int=7))}
    assert statuses(await send(organization, {}, unknown)) == [SKIPPED, REJECTED]
    assert await customers_of(organization) == []
    assert statuses(await send(organization, {}, unknown, on_invalid=SKIP)) == [INSERTED, REJECTED]
    assert await customers_of(organization) == ["c1"]


async def test_a_conflicting_event_leaves_no_customer_behind(organization: Organization) -> None:
    await send(organization, {"externalId": "e1"})
    receipts = await send(
        organization,
        {"externalId": "e1", "externalCustomerId": "new"},
        {"externalId": "e2", "externalCustomerId": "also new"},
        {"externalId": "e2", "externalCustomerId": "too late"},
    )
    assert statuses(receipts) == [CONFLICT, INSERTED, CONFLICT]
    assert await customers_of(organization) == ["also new", "c1"]


async def test_calls_that_share_a_commit_keep_their_receipts_and_policies(
    organization: Organization,
) -> None:
    unknown = {"externalCustomerId": None, "customerId": encode_id("Customer", UUID(int=7))}
    answers = await ingest(
        organization.id,
        [
            call({"externalId": "a"}, {"externalId": "b"}),
            call({"externalId": "c"}, INVALID),
            call({"externalId": "d"}, INVALID, on_invalid=SKIP),
            call(),
            call({"externalId": "a"}, {"externalId": "b", "name": "other"}, {"externalId": "c"}),
            call({"externalId": "f", "externalCustomerId": "never"}, unknown),
        ],
    )
    assert [statuses(receipts) for receipts in answers] == [
        [INSERTED, INSERTED],
        [SKIPPED, REJECTED],
        [INSERTED, REJECTED],
        [],
        [DUPLICATE, CONFLICT, INSERTED],
        [SKIPPED, REJECTED],
    ]
    assert answers[4][0].event_id == answers[0][0].event_id
    [batch] = await batches_of(organization)
    assert batch.event_count == 4
    assert await customers_of(organization) == ["c1"]


async def test_a_batch_lists_the_names_of_its_new_events(organization: Organization) -> None:
    await send(organization, {"externalId": "a", "name": "old"})
    await send(organization, {"externalId": "a", "name": "old"}, {"name": "z"}, {"name": "y"})
    first, second = await batches_of(organization)
    assert (first.names, first.event_count) == (["old"], 1)
    assert (second.names, second.event_count) == (["y", "z"], 2)

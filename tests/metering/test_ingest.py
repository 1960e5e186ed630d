"""Events into the database: receipts, policies, idempotency, and the customers made for them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from metering.events import EventDraft, EventError, check_event
from metering.ingest import IngestCall, InvalidEventPolicy, Receipt, ReceiptStatus, ingest
from models import Customer, Event, EventBatch, Organization
from schema.ids import decode_id, encode_id

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
REJECT, SKIP = InvalidEventPolicy.REJECT_BATCH, InvalidEventPolicy.SKIP_INVALID
INSERTED, DUPLICATE, CONFLICT = (
    ReceiptStatus.INSERTED,
    ReceiptStatus.DUPLICATE,
    ReceiptStatus.CONFLICT,
)
REJECTED, SKIPPED = ReceiptStatus.REJECTED, ReceiptStatus.SKIPPED
INVALID: dict[str, Any] = {"name": "n" * 129}


def call(*events: dict[str, Any], on_invalid: InvalidEventPolicy = REJECT) -> IngestCall:
    return IngestCall(
        [
            check_event(
                {"name": "ai_usage", "externalCustomerId": "c1", **event},
                NOW,
                lambda public_id: decode_id(public_id, "Customer"),
            )
            for event in events
        ],
        on_invalid,
    )


async def send(
    organization: Organization,
    *events: dict[str, Any],
    on_invalid: InvalidEventPolicy = REJECT,
) -> list[Receipt]:
    return (await ingest(organization.id, [call(*events, on_invalid=on_invalid)]))[0]


def statuses(receipts: list[Receipt]) -> list[ReceiptStatus]:
    return [receipt.status for receipt in receipts]


async def batches_of(organization: Organization) -> list[EventBatch]:
    return await EventBatch.filter(organization_id=organization.id).order_by("id")


async def customers_of(organization: Organization) -> list[str | None]:
    customers = await Customer.filter(organization_id=organization.id).order_by("external_id")
    return [customer.external_id for customer in customers]


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


async def test_the_first_and_last_years_are_stored(organization: Organization) -> None:
    await send(organization, {"timestamp": "0001-01-01T00:00:00Z"})
    event = await Event.get(organization_id=organization.id)
    assert event.timestamp == datetime(1, 1, 1, tzinfo=UTC)


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


# ---------------------------------------------------------------- policies


async def test_reject_batch_stores_nothing_and_says_all_that_is_wrong(
    organization: Organization,
) -> None:
    receipts = await send(organization, {}, INVALID, {"timestamp": "now"}, {})
    assert statuses(receipts) == [SKIPPED, REJECTED, REJECTED, SKIPPED]
    assert [receipt.error.path if receipt.error else None for receipt in receipts] == [
        None,
        ("name",),
        ("timestamp",),
        None,
    ]
    assert all(receipt.event_id is None for receipt in receipts)
    assert await batches_of(organization) == []
    assert await customers_of(organization) == []


async def test_skip_invalid_stores_the_others(organization: Organization) -> None:
    receipts = await send(
        organization,
        {"externalCustomerId": "a"},
        {**INVALID, "externalCustomerId": "b"},
        {"externalCustomerId": "c"},
        on_invalid=SKIP,
    )
    assert statuses(receipts) == [INSERTED, REJECTED, INSERTED]
    [batch] = await batches_of(organization)
    assert batch.event_count == 2
    assert await customers_of(organization) == ["a", "c"]


async def test_skip_invalid_of_nothing_valid_stores_nothing(organization: Organization) -> None:
    assert statuses(await send(organization, INVALID, INVALID, on_invalid=SKIP)) == [REJECTED] * 2
    assert await batches_of(organization) == []


EVERY_RULE: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({"name": ""}, ("name",)),
    ({"name": "n" * 129}, ("name",)),
    ({"name": "\0"}, ("name",)),
    ({"name": "\ud800"}, ("name",)),
    ({"externalId": "e" * 257}, ("externalId",)),
    ({"externalId": "\0"}, ("externalId",)),
    ({"externalCustomerId": "c" * 257}, ("externalCustomerId",)),
    ({"externalCustomerId": "\udfff"}, ("externalCustomerId",)),
    ({"externalCustomerId": None}, ()),
    ({"customerId": "anything"}, ()),
    ({"externalCustomerId": None, "customerId": "malformed"}, ("customerId",)),
    (
        {"externalCustomerId": None, "customerId": encode_id("Customer", UUID(int=1))},
        ("customerId",),
    ),
    ({"externalCustomerId": None, "customerId": encode_id("Meter", UUID(int=1))}, ("customerId",)),
    ({"timestamp": "2026-03-01T12:05:01Z"}, ("timestamp",)),
    ({"timestamp": "2026-03-01T12:00:00"}, ("timestamp",)),
    ({"timestamp": "0001-01-01T00:00:00+01:00"}, ("timestamp",)),
    ({"metadata": {f"k{n}": n for n in range(65)}}, ("metadata",)),
    ({"metadata": {"k" * 65: 1}}, ("metadata",)),
    ({"metadata": {"k\0": 1}}, ("metadata",)),
    ({"metadata": {"a": {"b": {"c": {"d": {}}}}}}, ("metadata", "a", "b", "c", "d")),
    ({"metadata": {"a": "x" * 1_001}}, ("metadata", "a")),
    ({"metadata": {"a": ["\0"]}}, ("metadata", "a", "0")),
    ({"metadata": {"a": "\ud800"}}, ("metadata", "a")),
    ({"metadata": {"a": 10**31}}, ("metadata", "a")),
    ({"metadata": {"a": Decimal("1E-31")}}, ("metadata", "a")),
    ({"metadata": {"a": Decimal("1." + "1" * 38)}}, ("metadata", "a")),
    ({"metadata": {str(n): "x" * 1_000 for n in range(17)}}, ("metadata",)),
]


async def test_every_rule_in_one_batch_and_one_valid_event_among_them(
    organization: Organization,
) -> None:
    broken = [event for event, _ in EVERY_RULE]
    receipts = await send(organization, *broken, {}, on_invalid=SKIP)
    assert statuses(receipts) == [REJECTED] * len(broken) + [INSERTED]
    assert [receipt.error.path for receipt in receipts if receipt.error] == [
        path for _, path in EVERY_RULE
    ]
    assert await customers_of(organization) == ["c1"]
    receipts = await send(organization, *broken, {})
    assert statuses(receipts) == [REJECTED] * len(broken) + [SKIPPED]
    assert await Event.filter(organization_id=organization.id).count() == 1


@pytest.mark.parametrize(("event", "path"), EVERY_RULE)
async def test_every_rule_one_by_one(
    organization: Organization, event: dict[str, Any], path: tuple[str, ...]
) -> None:
    [receipt] = await send(organization, event)
    assert receipt.status is REJECTED
    assert receipt.error is not None
    assert receipt.error.path == path
    assert await batches_of(organization) == []
    assert await customers_of(organization) == []


# ---------------------------------------------------------------- customers


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


async def test_a_customer_of_another_organization_is_like_one_that_never_was(
    organization: Organization, other_organization: Organization
) -> None:
    foreign = await Customer.create(organization_id=other_organization.id, external_id="c1")
    [receipt] = await send(
        organization,
        {"externalCustomerId": None, "customerId": encode_id("Customer", foreign.id)},
    )
    [missing] = await send(
        organization,
        {"externalCustomerId": None, "customerId": encode_id("Customer", UUID(int=7))},
    )
    assert receipt == missing
    assert receipt.error == EventError(
        "NOT_FOUND", "There is no customer with this id.", ("customerId",)
    )
    await send(organization, {"externalCustomerId": "c1"})
    assert (await Event.get(organization_id=organization.id)).customer_id != foreign.id


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


# ---------------------------------------------------------------- idempotency


SENT = {
    "externalId": "e1",
    "timestamp": "2026-02-01T00:00:00Z",
    "metadata": {"tokens": 1, "model": "a"},
}


async def test_the_same_event_again_is_a_duplicate(organization: Organization) -> None:
    [first] = await send(organization, SENT)
    again = {
        "externalId": "e1",
        "timestamp": "2026-02-01T01:00:00+01:00",
        "metadata": {"model": "a", "tokens": Decimal("1.0")},
    }
    assert await send(organization, again) == [Receipt(DUPLICATE, first.event_id)]
    without_timestamp = {key: value for key, value in again.items() if key != "timestamp"}
    assert await send(organization, without_timestamp) == [Receipt(DUPLICATE, first.event_id)]
    [batch] = await batches_of(organization)
    assert batch.event_count == 1


@pytest.mark.parametrize(
    ("change", "differences"),
    [
        ({"name": "other"}, "name"),
        ({"externalCustomerId": "c2"}, "customer"),
        ({"timestamp": "2026-02-01T00:00:00.000001Z"}, "timestamp"),
        ({"metadata": {"tokens": 2, "model": "a"}}, "metadata"),
        ({"metadata": {"tokens": "1", "model": "a"}}, "metadata"),
        ({"metadata": {"tokens": 1, "model": "a", "more": None}}, "metadata"),
        ({"metadata": None}, "metadata"),
        (
            {"name": "other", "externalCustomerId": "c2", "timestamp": NOW, "metadata": {}},
            "name, customer, timestamp, metadata",
        ),
    ],
)
async def test_another_event_under_the_same_external_id_is_a_conflict(
    organization: Organization, change: dict[str, Any], differences: str
) -> None:
    [first] = await send(organization, SENT)
    assert await send(organization, {**SENT, **change}) == [
        Receipt(
            CONFLICT,
            first.event_id,
            EventError(
                "CONFLICT",
                f"Another event holds this externalId; it differs in {differences}.",
                ("externalId",),
            ),
        )
    ]
    assert await Event.filter(organization_id=organization.id).count() == 1
    assert len(await batches_of(organization)) == 1


async def test_a_timestamp_sent_later_differs_from_the_one_that_was_not_sent(
    organization: Organization,
) -> None:
    await send(organization, {"externalId": "e1"})
    assert statuses(await send(organization, {"externalId": "e1"})) == [DUPLICATE]
    [receipt] = await send(organization, {"externalId": "e1", "timestamp": NOW})
    assert receipt.status is CONFLICT


async def test_within_one_batch_the_first_of_an_external_id_is_stored(
    organization: Organization,
) -> None:
    receipts = await send(
        organization,
        {"externalId": "b", "metadata": {"n": 1}},
        {"externalId": "a", "metadata": {"n": 1}},
        {"externalId": "b", "metadata": {"n": 1}},
        {"externalId": "b", "metadata": {"n": 2}},
        {},
        {"externalId": "a", "name": "other", "metadata": {"n": 1}},
        {"externalId": "b", "metadata": {"n": 1}},
    )
    assert statuses(receipts) == [
        INSERTED,
        INSERTED,
        DUPLICATE,
        CONFLICT,
        INSERTED,
        CONFLICT,
        DUPLICATE,
    ]
    b, a = receipts[0].event_id, receipts[1].event_id
    assert [receipts[n].event_id for n in (2, 3, 5, 6)] == [b, b, a, b]
    [batch] = await batches_of(organization)
    assert (batch.event_count, batch.names) == (3, ["ai_usage"])


async def test_events_without_an_external_id_are_never_duplicates(
    organization: Organization,
) -> None:
    event = {"timestamp": NOW, "metadata": {"n": 1}}
    assert statuses(await send(organization, event, event)) == [INSERTED, INSERTED]
    assert statuses(await send(organization, event)) == [INSERTED]


async def test_an_external_id_is_the_organizations_own(
    organization: Organization, other_organization: Organization
) -> None:
    assert statuses(await send(organization, SENT)) == [INSERTED]
    assert statuses(await send(other_organization, {**SENT, "name": "other"})) == [INSERTED]


async def test_a_refused_event_does_not_take_its_external_id(organization: Organization) -> None:
    assert statuses(await send(organization, {**INVALID, "externalId": "e1"}, SENT)) == [
        REJECTED,
        SKIPPED,
    ]
    assert statuses(await send(organization, SENT)) == [INSERTED]


# ---------------------------------------------------------------- calls that share a commit


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


async def test_a_batch_says_the_names_of_what_is_new_in_it(organization: Organization) -> None:
    await send(organization, {"externalId": "a", "name": "old"})
    await send(organization, {"externalId": "a", "name": "old"}, {"name": "z"}, {"name": "y"})
    first, second = await batches_of(organization)
    assert (first.names, first.event_count) == (["old"], 1)
    assert (second.names, second.event_count) == (["y", "z"], 2)


def test_drafts_are_what_was_not_refused() -> None:
    assert all(isinstance(draft, EventDraft) for draft in call({}, INVALID).drafts)
    assert len(call({}, INVALID).drafts) == 1

"""Events that break a rule, and what each policy makes of them."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from models import Event, Organization
from schema.ids import encode_id
from tests.metering.ingest_calls import (
    INSERTED,
    INVALID,
    REJECTED,
    SKIP,
    SKIPPED,
    batches_of,
    customers_of,
    send,
    statuses,
)


async def test_reject_batch_stores_nothing_and_reports_every_mistake(
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
    ({"name": None}, ("name",)),
    ({"name": 7}, ("name",)),
    ({"name": "ä\0b"}, ("name",)),
    ({"externalId": 7}, ("externalId",)),
    ({"externalId": ""}, ("externalId",)),
    ({"externalId": "\udfff"}, ("externalId",)),
    ({"externalCustomerId": ""}, ("externalCustomerId",)),
    ({"externalCustomerId": "c\0"}, ("externalCustomerId",)),
    ({"metadata": []}, ("metadata",)),
    ({"metadata": {"a": [1, {"b": "x" * 1_001}]}}, ("metadata", "a", "1", "b")),
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


async def test_each_rule_refuses_its_event_and_no_other(
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

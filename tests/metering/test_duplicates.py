"""The same event again is stored once; another one under its external id is a conflict."""

from decimal import Decimal
from typing import Any

import pytest

from metering.ingest.storing import Receipt
from metering.problems import Problem
from models import Event, Organization
from tests.metering.ingest_calls import (
    CONFLICT,
    DUPLICATE,
    INSERTED,
    INVALID,
    NOW,
    REJECTED,
    SKIPPED,
    batches_of,
    send,
    statuses,
)

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
            Problem(
                "CONFLICT",
                f"Another event has this externalId; it differs in {differences}.",
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
    tenants = ((organization, SENT), (other_organization, {**SENT, "name": "other"}))
    first = [(await send(tenant, event))[0] for tenant, event in tenants]
    assert statuses(first) == [INSERTED, INSERTED]
    again = [(await send(tenant, event))[0] for tenant, event in tenants]
    assert again == [Receipt(DUPLICATE, receipt.event_id) for receipt in first]


async def test_a_refused_event_does_not_take_its_external_id(organization: Organization) -> None:
    assert statuses(await send(organization, {**INVALID, "externalId": "e1"}, SENT)) == [
        REJECTED,
        SKIPPED,
    ]
    assert statuses(await send(organization, SENT)) == [INSERTED]

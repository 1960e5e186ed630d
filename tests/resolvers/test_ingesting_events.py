"""Events by mutation: each gets a receipt in its place."""

from typing import Any

import pytest

from models import Event, Organization
from schema.ids import encode_id
from tests.graphql_client import Api
from tests.resolvers.events import INGEST, event, ingest, names


async def test_an_event_is_stored_and_shown_with_every_digit(api: Api) -> None:
    body = """{"query": "mutation ($input: EventsIngestInput!)
      { eventsIngest(input: $input) { receipts { status eventId } } }",
      "variables": {"input": {"events": [{"name": "ai_usage", "externalCustomerId": "c1",
        "externalId": "e1", "timestamp": "2026-01-01T01:00:00.5+01:00",
        "metadata": {"tokens": 0.1000000000000000055511151231, "of": [12345678901234567890]}}]}}}"""
    answer = (await api.post(body.replace("\n", " "))).json()
    receipt = answer["data"]["eventsIngest"]["receipts"][0]
    assert receipt["status"] == "INSERTED"
    response = await api.post(
        {
            "query": "query ($id: ID!) { event(id: $id) { name externalId timestamp metadata"
            " processedAt customer { externalId } meters { name } } }",
            "variables": {"id": receipt["eventId"]},
        }
    )
    assert '"tokens": 0.1000000000000000055511151231' in response.text
    assert '"of": [12345678901234567890]' in response.text
    shown = response.json()["data"]["event"]
    assert shown["timestamp"] == "2026-01-01T00:00:00.500000Z"
    assert shown["customer"] == {"externalId": "c1"}
    assert shown["processedAt"] is None
    assert shown["meters"] == []


async def test_every_event_has_a_receipt_in_its_place(api: Api, organization: Organization) -> None:
    await ingest(api, event(externalId="held"))
    found = await ingest(
        api,
        event(externalId="new"),
        event(externalId="held"),
        event("other", externalId="held"),
        event(""),
        event(customerId="nonsense", externalCustomerId=None),
        on_invalid="SKIP_INVALID",
    )
    statuses = [receipt["status"] for receipt in found["receipts"]]
    assert statuses == ["INSERTED", "DUPLICATE", "CONFLICT", "REJECTED", "REJECTED"]
    assert [receipt["index"] for receipt in found["receipts"]] == [0, 1, 2, 3, 4]
    counted = (found["inserted"], found["duplicates"], found["conflicts"], found["rejected"])
    assert counted == (1, 1, 1, 2)
    stored = await Event.get(organization_id=organization.id, external_id="held")
    held = encode_id("Event", stored.id)
    assert [receipt["eventId"] for receipt in found["receipts"][1:3]] == [held, held]
    errors = [(r["error"] or {}).get("path") for r in found["receipts"]]
    assert errors == [
        None,
        None,
        ["events", "2", "externalId"],
        ["events", "3", "name"],
        ["events", "4", "customerId"],
    ]
    assert found["receipts"][4]["error"]["code"] == "NOT_FOUND"
    assert found["userErrors"] == []


async def test_a_rejected_batch_stores_nothing_and_reports_every_invalid_event(api: Api) -> None:
    found = await ingest(api, event("a"), event(""), event(metadata={"": 1}))
    assert [receipt["status"] for receipt in found["receipts"]] == [
        "SKIPPED",
        "REJECTED",
        "REJECTED",
    ]
    assert found["inserted"] == 0
    assert [error["path"] for error in found["userErrors"]] == [
        ["events", "1", "name"],
        ["events", "2", "metadata"],
    ]
    assert await names(api) == []


async def test_an_empty_batch_is_accepted(api: Api) -> None:
    found = await ingest(api)
    assert (found["inserted"], found["receipts"], found["userErrors"]) == (0, [], [])


async def test_a_call_has_at_most_10000_events(api: Api) -> None:
    found = await ingest(api, *[event()] * 10_001)
    assert [(error["code"], error["path"]) for error in found["userErrors"]] == [
        ("LIMIT_EXCEEDED", ["events"])
    ]
    assert "10,000" in found["userErrors"][0]["message"]
    assert found["receipts"] == []


@pytest.mark.parametrize(
    "literal",
    [
        '{name: "ai_usage", externalCustomerId: "c1", metadata: {tokens: 1.50, a: [true, null]}}',
        '[{name: "ai_usage", externalCustomerId: "c1", timestamp: "2026-01-01T00:00:00Z"}]',
    ],
)
async def test_events_may_be_literals_of_the_document(api: Api, literal: str) -> None:
    ingest_literal = "mutation { eventsIngest(input: {events: " + literal + "}) { inserted } }"
    found = await api.get(ingest_literal)
    assert found == {"eventsIngest": {"inserted": 1}}


@pytest.mark.parametrize(
    "odd",
    [
        {"name": None},
        {"name": "a", "timestamp": "2026-01-01"},
        {"name": "a", "timestamp": 5},
        {"name": "a", "metadata": []},
        {"name": "a", "metadata": "{}"},
        {"name": "a", "unknown": 1},
        {},
        "a",
        None,
    ],
)
async def test_malformed_events_are_a_bad_request(api: Api, odd: Any) -> None:
    assert await api.codes(INGEST, input={"events": [event(), odd]}) == ["BAD_USER_INPUT"]

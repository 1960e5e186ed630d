"""POST /v1/events/ingest answers as Polar's ingestion does."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from models import Organization
from schema.context import Scope
from tests.graphql_client import Api
from tests.serving import new_token
from tests.transport.cloud_events import stored


def polar_event(**changes: Any) -> dict[str, Any]:
    """An event of Polar's."""
    return {"name": "ai_usage", "external_customer_id": "acme"} | changes


async def post(api: Api, body: Any, **headers: str) -> httpx.Response:
    """The response to a request with this body; JSON unless it is text."""
    content = body if isinstance(body, str) else json.dumps(body)
    declared = {"content-type": "application/json", **api.headers, **headers}
    return await api.http.post("/v1/events/ingest", content=content, headers=declared)


async def ingest(api: Api, *events: Any) -> httpx.Response:
    """The response to a request with these events."""
    return await post(api, {"events": list(events)})


def mistakes(response: httpx.Response) -> list[tuple[str, list[Any]]]:
    """The type and the location of each error."""
    assert response.status_code == 422
    assert response.json()["error"] == "RequestValidationError"
    return [(one["type"], one["loc"]) for one in response.json()["detail"]]


async def test_events_are_stored_with_all_their_fields(api: Api) -> None:
    response = await ingest(
        api,
        polar_event(
            external_id="e1",
            timestamp="2026-01-01T01:00:00+01:00",
            metadata={
                "tokens": 12,
                "model": "gpt",
                "cached": True,
                "_cost": {"amount": "0.12", "currency": "usd"},
                "_llm": {
                    "vendor": "v",
                    "model": "m",
                    "input_tokens": 1,
                    "output_tokens": 2,
                    "total_tokens": 3,
                },
            },
        ),
    )
    assert (response.status_code, response.json()) == (200, {"inserted": 1, "duplicates": 0})
    (node,) = await stored(api)
    assert (node["name"], node["externalId"]) == ("ai_usage", "e1")
    assert node["customer"] == {"externalId": "acme"}
    assert node["timestamp"] == "2026-01-01T00:00:00Z"
    assert node["metadata"]["_llm"]["total_tokens"] == 3
    assert node["metadata"]["_cost"] == {"amount": "0.12", "currency": "usd"}


async def test_numbers_keep_every_digit(api: Api) -> None:
    number = "0.1000000000000000055511151231"
    event = json.dumps(polar_event(metadata={"n": 0})).replace('"n": 0', f'"n": {number}')
    assert (await post(api, f'{{"events": [{event}]}}')).status_code == 200
    answer = await api.post({"query": "{ events { nodes { metadata } } }"})
    assert f'"n":{number}' in answer.text.replace(": ", ":")


async def test_a_taken_external_id_is_a_duplicate(api: Api) -> None:
    assert (await ingest(api, polar_event(external_id="e1"))).json()["inserted"] == 1
    again = await ingest(
        api,
        polar_event(external_id="e1"),
        polar_event(external_id="e1", name="other"),
        polar_event(external_id="e2"),
        polar_event(),
    )
    assert again.json() == {"inserted": 2, "duplicates": 2}
    assert (await ingest(api)).json() == {"inserted": 0, "duplicates": 0}


async def test_a_customer_may_be_named_by_its_id_here(api: Api, other_api: Api) -> None:
    for caller in (api, other_api):
        await ingest(caller, polar_event())
    own, other = [
        (await caller.get("{ customers { nodes { id } } }"))["customers"]["nodes"][0]["id"]
        for caller in (api, other_api)
    ]
    by_id = {"name": "n", "customer_id": own}
    assert (await ingest(api, by_id)).json() == {"inserted": 1, "duplicates": 0}
    unknown = "7a1f8d4c-35a9-4c1b-9f0e-6ce27a2d7b11"
    refused = await ingest(
        api, by_id, *({"name": "n", "customer_id": id_} for id_ in (other, unknown))
    )
    assert mistakes(refused) == [
        ("customer_id", ["body", "events", 1, "customer_id"]),
        ("customer_id", ["body", "events", 2, "customer_id"]),
    ]
    assert refused.json()["detail"][1]["msg"] == "Customer not found."
    assert refused.json()["detail"][1]["input"] == unknown
    assert len(await stored(api)) == 2


async def test_a_customer_may_be_named_by_the_id_that_it_had_at_polar(
    api: Api, other_api: Api
) -> None:
    polars = "7a1f8d4c-35a9-4c1b-9f0e-6ce27a2d7b11"
    by_id = {"name": "n", "customer_id": polars}
    await ingest(other_api, polar_event(external_customer_id=polars))
    refused = mistakes(await ingest(api, by_id))
    assert refused == [("customer_id", ["body", "events", 0, "customer_id"])]
    await ingest(api, polar_event(external_customer_id=polars))
    assert (await ingest(api, by_id, by_id)).json() == {"inserted": 2, "duplicates": 0}
    assert {node["customer"]["externalId"] for node in await stored(api)} == {polars}
    assert len((await api.get("{ customers { nodes { id } } }"))["customers"]["nodes"]) == 1


@pytest.mark.parametrize(
    ("changes", "type_", "path"),
    [
        ({"name": "x" * 129}, "string_too_long", ["name"]),
        ({"name": 5}, "string_type", ["name"]),
        ({"timestamp": "yesterday"}, "datetime_from_date_parsing", ["timestamp"]),
        ({"timestamp": "2026-01-01T00:00:00"}, "timezone_aware", ["timestamp"]),
        ({"external_id": 5}, "string_type", ["external_id"]),
        ({"parent_id": 5}, "string_type", ["parent_id"]),
        ({"metadata": "m"}, "model_type", ["metadata"]),
        ({"metadata": {"m": "x" * 501}}, "string_too_long", ["metadata", "m", "constrained-str"]),
        ({"metadata": {"_cost": {"amount": 1}}}, "missing", ["metadata", "_cost", "currency"]),
    ],
)
async def test_a_mistake_has_polars_type_and_location(
    api: Api, changes: dict[str, Any], type_: str, path: list[str]
) -> None:
    found = mistakes(await ingest(api, polar_event(), polar_event(**changes)))
    assert (type_, ["body", "events", 1, "EventCreateExternalCustomer", *path]) in found
    assert {tuple(location[:3]) for _, location in found} == {("body", "events", 1)}
    assert await stored(api) == []


async def test_a_missing_field_is_named_for_both_kinds_of_event(api: Api) -> None:
    assert mistakes(await ingest(api, {"name": "n"})) == [
        ("missing", ["body", "events", 0, "EventCreateCustomer", "customer_id"]),
        ("missing", ["body", "events", 0, "EventCreateExternalCustomer", "external_customer_id"]),
    ]


async def test_a_timestamp_in_the_future_is_refused(api: Api) -> None:
    ahead = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    response = await ingest(api, polar_event(timestamp=ahead))
    kinds = {type_ for type_, _ in mistakes(response)}
    assert "value_error" in kinds
    assert "Timestamp must be in the past." in response.text


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"name": ""}, ["name"]),
        ({"external_customer_id": ""}, ["external_customer_id"]),
        ({"external_id": "x" * 257}, ["external_id"]),
        ({"metadata": {"": 1}}, ["metadata"]),
        ({"metadata": {"n": 10**40}}, ["metadata", "n"]),
        ({"metadata": {"s": "\0"}}, ["metadata", "s"]),
    ],
)
async def test_limits_that_polar_does_not_have_are_reported_alike(
    api: Api, changes: dict[str, Any], path: list[str]
) -> None:
    response = await ingest(api, polar_event(**changes))
    assert mistakes(response) == [("value_error", ["body", "events", 0, *path])]


async def test_an_organization_token_names_no_organization(api: Api) -> None:
    response = await ingest(api, polar_event(organization_id="o1"))
    assert mistakes(response) == [("organization_token", ["body", "events", 0, "organization_id"])]


@pytest.mark.parametrize(
    ("body", "type_", "location"),
    [
        ([], "model_attributes_type", ["body"]),
        ({}, "missing", ["body", "events"]),
        ({"events": {}}, "list_type", ["body", "events"]),
        ({"events": [{}] * 10_001}, "too_long", ["body", "events"]),
    ],
)
async def test_a_body_without_events_is_refused(
    api: Api, body: Any, type_: str, location: list[str]
) -> None:
    assert mistakes(await post(api, body)) == [(type_, location)]


@pytest.mark.parametrize(
    "odd", [None, 5, "text", [], [[]], {"name": None}, {"name": "n", "customer_id": []}]
)
async def test_odd_events_are_refused(api: Api, odd: Any) -> None:
    assert mistakes(await ingest(api, odd))
    assert await stored(api) == []


async def test_hostile_metadata_costs_no_more_than_a_hundred_errors(api: Api) -> None:
    wide = polar_event(metadata={f"key{number}": [] for number in range(100_000)})
    full = polar_event(metadata={f"key{number}": [] for number in range(64)})
    found = mistakes(await ingest(api, wide, *[full] * 1_000))
    assert found[0] == ("too_long", ["body", "events", 0, "metadata"])
    assert len(found) == 100


async def test_a_key_twice_is_refused(api: Api) -> None:
    event = '{"name": "n", "external_customer_id": "c", "metadata": {"n": 1, "n": 2}}'
    response = await post(api, f'{{"events": [{event}]}}')
    assert mistakes(response) == [("value_error", ["body", "events", 0, "metadata"])]
    response = await post(api, '{"events": [], "events": []}')
    assert response.status_code == 422
    assert mistakes(await post(api, "{")) == [("json_invalid", ["body"])]


async def test_who_may_not_send_is_told_as_polar_does(api: Api, organization: Organization) -> None:
    sender = api.with_secret(await new_token(organization, Scope.EVENTS_WRITE))
    reader = api.with_secret(await new_token(organization, Scope.USAGE_READ))
    session = await api.session("acme")
    assert (await ingest(sender, polar_event())).status_code == 200
    anonymous = await ingest(api.anonymous, polar_event())
    assert (anonymous.status_code, anonymous.json()["error"]) == (401, "Unauthorized")
    assert anonymous.headers["www-authenticate"].startswith("Bearer")
    unknown = await ingest(api.with_secret("mg_nobody"), polar_event())
    assert (unknown.status_code, unknown.json()["error"]) == (401, "invalid_token")
    for caller in (reader, session):
        response = await ingest(caller, polar_event())
        assert (response.status_code, response.json()["error"]) == (403, "insufficient_scope")
    other_type = await post(api, "{}", **{"content-type": "text/plain"})
    assert (other_type.status_code, other_type.json()["error"]) == (415, "PolarError")
    assert (await api.http.get("/v1/events/ingest")).status_code == 405

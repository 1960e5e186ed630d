"""JSON with a key twice is ambiguous: such events are rejected, and such requests refused."""

import json
import time
from typing import Any

import pytest
from starlette.applications import Starlette

from models import Event, Organization
from tests.graphql_client import Api
from tests.websocket_client import connected

INGEST = """mutation ($e: [EventInput!]!, $p: InvalidEventPolicy! = SKIP_INVALID) {
  eventsIngest(input: {events: $e, onInvalid: $p}) {
    receipts { status error { code message path } }
  }
}"""
WHOLE = """mutation ($i: EventsIngestInput!) {
  eventsIngest(input: $i) { receipts { status error { code message path } } }
}"""
# The metadata, and what is said of it: at which path, and of which key.
METADATA = [
    ('{"n": 1, "n": 100}', [], "n"),
    ('{"n": 1, "m": 2, "n" : 1}', [], "n"),
    ('{"n": 1, "\\u006e": 100}', [], "n"),
    ('{"a": {"b": [{"c": 1}, {"c": 1, "d": "}", "c": 2}]}}', ["a", "b", "1"], "c"),
]


def event(metadata: str) -> str:
    """An event's JSON."""
    return f'{{"name": "n", "externalCustomerId": "c", "metadata": {metadata}}}'


def body(query: str, variables: str) -> str:
    """A request's JSON."""
    return f'{{"query": {json.dumps(query)}, "variables": {variables}}}'


def expected(path: list[str], key: str) -> list[dict[str, Any]]:
    """The receipts: the second event's metadata has a key twice."""
    said = ".".join(["metadata", *path])
    error = {
        "code": "INVALID",
        "message": f"{said} has the key '{key}' twice.",
        "path": ["events", "1", "metadata", *path],
    }
    inserted = {"status": "INSERTED", "error": None}
    return [inserted, {"status": "REJECTED", "error": error}, inserted]


@pytest.mark.parametrize(("metadata", "path", "key"), METADATA)
async def test_an_event_is_rejected_with_the_path(
    api: Api, organization: Organization, metadata: str, path: list[str], key: str
) -> None:
    events = f"[{event('{}')}, {event(metadata)}, {event('{}')}]"
    lifted = body(INGEST, f'{{"e": {events}}}')
    whole = body(WHOLE, f'{{"i": {{"events": {events}, "onInvalid": "SKIP_INVALID"}}}}')
    for sent in (lifted, whole):
        answer = (await api.post(sent)).json()
        assert answer["data"]["eventsIngest"]["receipts"] == expected(path, key)
    batch = (await api.post(f"[{lifted}, {whole}]")).json()
    for answer in batch:
        assert answer["data"]["eventsIngest"]["receipts"] == expected(path, key)
    assert await Event.filter(organization_id=organization.id).count() == 8
    refused = (await api.post(body(INGEST, f'{{"e": {events}, "p": "REJECT_BATCH"}}'))).json()
    statuses = [receipt["status"] for receipt in refused["data"]["eventsIngest"]["receipts"]]
    assert statuses == ["SKIPPED", "REJECTED", "SKIPPED"]


async def test_it_is_rejected_over_a_websocket_too(application: Starlette, api: Api) -> None:
    metadata, path, key = METADATA[0]
    events = f"[{event('{}')}, {event(metadata)}, {event('{}')}]"
    payload = body(INGEST, f'{{"e": {events}}}')
    async with connected(application, api.secret) as socket:
        await socket.send(f'{{"type": "subscribe", "id": "1", "payload": {payload}}}')
        answer = (await socket.receive())["payload"]
        assert answer["data"]["eventsIngest"]["receipts"] == expected(path, key)
        await socket.receive()
        await socket.send(f'{{"type": "subscribe", "id": "2", "id": "3", "payload": {payload}}}')
        closed = await socket.event()
        assert closed["code"] == 4400
        assert "'id'" in closed["reason"]


async def test_a_literal_with_a_key_twice_is_refused(api: Api) -> None:
    text = 'name: "n", externalCustomerId: "c", metadata: {a: {n: 1, n: 100}}'
    query = f"mutation {{ eventsIngest(input: {{events: [{{{text}}}]}}) {{ inserted }} }}"
    answer = (await api.post({"query": query})).json()
    assert "data" not in answer
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert "'n'" in error["message"]


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ('{"query": "{ a }", "query": "{ __typename }"}', "the object has the key 'query' twice"),
        (
            '{"query": "{ __typename }", "variables": {}, "variables": {}}',
            "the object has the key 'variables' twice",
        ),
        (
            '{"query": "{ __typename }", "operationName": null, "operationName": null}',
            "the object has the key 'operationName' twice",
        ),
        (
            '[{"query": "{ __typename }"}, {"query": "{ __typename }", "query": "{ a }"}]',
            "'1' has the key 'query' twice",
        ),
        (
            body(WHOLE, '{"i": {"events": [], "onInvalid": "SKIP_INVALID", "onInvalid": "X"}}'),
            "'variables.i' has the key 'onInvalid' twice",
        ),
        (
            body(INGEST, '{"e": [{"name": "a", "name": "b", "metadata": {}}]}'),
            "'variables.e.0' has the key 'name' twice",
        ),
        (
            body(INGEST, '{"e": [{"name": "a", "metadata": {"n": 1}, "metadata": {"n": 2}}]}'),
            "'variables.e.0' has the key 'metadata' twice",
        ),
        (
            body("{ __typename }", '{"metadata": {"n": 1, "n": 2}}'),
            "'variables.metadata' has the key 'n' twice",
        ),
    ],
)
async def test_a_repeated_key_elsewhere_refuses_the_request(
    api: Api, sent: str, message: str
) -> None:
    response = await api.post(sent)
    assert response.status_code == 400
    (error,) = response.json()["errors"]
    assert error["message"] == f"The body is ambiguous: {message}"
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("query={__typename}&query={a}", "`query` is given twice"),
        ("query={__typename}&variables={}&variables={}", "`variables` is given twice"),
        (
            'query={__typename}&variables={"a":1,"a":1}',
            "`variables` is ambiguous: the object has the key 'a' twice",
        ),
    ],
)
async def test_parameters_of_a_get_may_not_repeat(api: Api, query: str, message: str) -> None:
    response = await api.http.get(f"/graphql?{query}")
    assert response.status_code == 400
    assert response.json()["errors"][0]["message"] == message


async def test_long_and_deep_keys_are_quoted_briefly_and_at_once(api: Api) -> None:
    long, deep = "k" * 20_000, 400
    twice = f'{{"{long}": 1, "{long}": 2}}'
    for sent in (twice, "[" * deep + ",".join([twice] * 3) + "]" * deep, f'{{"{long}": {twice}}}'):
        begun = time.thread_time()
        response = await api.anonymous.post(body("{ __typename }", f'{{"a": {sent}}}'))
        assert time.thread_time() - begun < 5
        assert response.status_code in {400, 401}
        assert len(response.content) < 1_000


async def test_a_repeated_key_among_very_many_objects_is_refused_without_its_place(
    api: Api,
) -> None:
    """To look where it is takes seconds."""
    twice = event('{"n": 1, "n": 2}')
    objects = ", ".join(["{}"] * 49_995)
    for number in ("1", "1e100000"):
        sent = body(INGEST, f'{{"e": [{twice}], "x": [{{"n": {number}}}, {objects}]}}')
        receipts = (await api.post(sent)).json()["data"]["eventsIngest"]["receipts"]
        assert [receipt["error"]["message"] for receipt in receipts] == [
            "metadata has the key 'n' twice."
        ]
    for few in (twice, event('{"n": 1e100000}')):
        response = await api.post(body(INGEST, f'{{"e": [{few}], "x": [{{}}, {{}}, {objects}]}}'))
        assert response.status_code == 400

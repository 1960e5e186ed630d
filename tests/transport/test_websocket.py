"""graphql-transport-ws: who is let in, what closes a socket, and which reason the client gets."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.applications import Starlette

from models import Organization, exact_json
from schema.context import Scope
from tests.graphql_client import Api
from tests.serving import new_token
from tests.websocket_client import USAGE, Socket, connected, connecting


@pytest.fixture
async def socket(application: Starlette, api: Api) -> AsyncIterator[Socket]:
    async with connected(application, api.secret) as found:
        yield found


@pytest.mark.parametrize(
    "payload",
    [
        {"authorization": "Bearer {}"},
        {"Authorization": "Bearer {}"},
        {"token": "{}"},
        {"token": "Bearer {}"},
        {"headers": {"Authorization": "Bearer {}"}},
    ],
)
async def test_a_token_comes_in_any_of_the_usual_payloads(
    application: Starlette, api: Api, payload: dict[str, Any]
) -> None:
    message = exact_json.dumps({"type": "connection_init", "payload": payload})
    async with connected(application) as socket:
        await socket.send(message.replace("{}", api.secret))
        assert await socket.receive() == {"type": "connection_ack"}


async def test_a_token_may_come_with_the_handshake(application: Starlette, api: Api) -> None:
    async with connected(application, authorization=f"Bearer {api.secret}") as socket:
        await socket.send({"type": "connection_init"})
        assert await socket.receive() == {"type": "connection_ack"}


@pytest.mark.parametrize(
    "payload",
    [
        None,
        {},
        {"other": "x"},
        {"token": 5},
        {"token": "mg_wrong"},
        {"headers": []},
        {"headers": "x"},
        {"authorization": ""},
        {"authorization": "mg_wrong"},
        *({"authorization": f"Bearer {text}"} for text in ("mg_x", "mg_é", "mg_" + "x" * 300)),
        '{"authorization": "Bearer mg_\\ud800"}',
    ],
)
async def test_without_a_good_token_the_socket_is_closed_with_a_reason(
    application: Starlette, payload: Any
) -> None:
    text = payload if isinstance(payload, str) else exact_json.dumps(payload)
    async with connected(application) as socket:
        told = "" if payload is None else f', "payload": {text}'
        await socket.send(f'{{"type": "connection_init"{told}}}')
        closed = await socket.event()
        assert (closed["type"], closed["code"]) == ("websocket.close", 4403)
        assert closed["reason"]


@pytest.mark.parametrize(
    ("failure", "code"),
    [(ConnectionRefusedError("10.0.0.1"), 1013), (ZeroDivisionError("the secret recipe"), 4500)],
)
async def test_a_failure_before_the_socket_is_open_says_whether_to_try_again(
    application: Starlette,
    api: Api,
    monkeypatch: pytest.MonkeyPatch,
    failure: Exception,
    code: int,
) -> None:
    async def fails(*_arguments: object) -> None:
        raise failure

    monkeypatch.setattr("schema.secrets.fetch_aside", fails)
    async with connected(application) as socket:
        await socket.send({"type": "connection_init", "payload": {"token": api.secret}})
        closed = await socket.event()
        assert closed["code"] == code
        assert closed["reason"]
        assert str(failure) not in closed["reason"]


async def test_a_reason_is_cut_to_what_a_frame_carries(socket: Socket) -> None:
    await socket.send({"type": "é" * 200})
    closed = await socket.event()
    assert closed["code"] == 4400
    assert 120 <= len(closed["reason"].encode()) <= 123


async def test_nothing_is_done_before_initialisation(application: Starlette) -> None:
    async with connected(application) as socket:
        await socket.subscribe("{ __typename }")
        assert await socket.close_code() == 4401


async def test_a_silent_client_is_closed(
    application: Starlette, monkeypatch: pytest.MonkeyPatch
) -> None:
    graphql = application.state.graphql
    timeout = type(graphql.connection_init_wait_timeout)(milliseconds=10)
    monkeypatch.setattr(graphql, "connection_init_wait_timeout", timeout)
    async with connected(application) as socket:
        assert await socket.close_code() == 4408


async def test_another_protocol_is_refused(application: Starlette) -> None:
    async with connected(application, protocol="graphql-ws") as socket:
        assert await socket.close_code() == 4406


@pytest.mark.parametrize(
    ("headers", "accepted"),
    [
        ({"origin": "http://metergraph"}, True),
        ({"origin": "http://evil.example"}, False),
        ({"origin": "null"}, False),
        ({}, True),
    ],
)
async def test_a_page_of_another_origin_is_not_let_in(
    application: Starlette, headers: dict[str, str], *, accepted: bool
) -> None:
    async with connecting(application, **headers) as socket:
        expected = "websocket.accept" if accepted else "websocket.close"
        assert (await socket.event())["type"] == expected


@pytest.mark.parametrize(
    "message",
    [
        "nonsense",
        "[]",
        "1",
        '"text"',
        "{}",
        '{"type": 1}',
        '{"type": "nonsense"}',
        '{"type": "\\ud800"}',
        '{"type": "subscribe"}',
        '{"type": "subscribe", "id": 1, "payload": {"query": "{ a }"}}',
        '{"type": "subscribe", "id": "1"}',
        '{"type": "subscribe", "id": "1", "payload": []}',
        '{"type": "subscribe", "id": "1", "payload": {}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": 1}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{ a }", "variables": []}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{ a }", "operationName": 1}}',
        '{"type": "complete"}',
        '{"type": "complete", "id": {}}',
        '{"type": "ping", "payload": NaN}',
        "[" * 100_000,
    ],
)
async def test_an_invalid_message_closes_the_socket(socket: Socket, message: str) -> None:
    await socket.send(message)
    assert await socket.close_code() == 4400


async def test_queries_and_pings_are_answered(socket: Socket) -> None:
    await socket.subscribe("{ __typename }")
    message = await socket.receive()
    assert message["payload"]["data"] == {"__typename": "Query"}
    assert await socket.receive() == {"type": "complete", "id": "1"}
    await socket.send({"type": "ping"})
    assert await socket.receive() == {"type": "pong"}


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"query": "subscription { nonsense }"}, "BAD_USER_INPUT"),
        ({"query": "}{"}, "BAD_USER_INPUT"),
        ({"query": ""}, "BAD_USER_INPUT"),
        ({"query": "query A { __typename } query B { __typename }"}, "BAD_USER_INPUT"),
        ({"query": "query A { __typename }", "operationName": "B"}, "BAD_USER_INPUT"),
        ({"query": "{ " + "a " * 5_000 + "}"}, "TOO_COMPLEX"),
        ({"query": "subscription { usageUpdated(customerId: 1) { cursor } }"}, "NOT_FOUND"),
        ({"query": 'subscription { usageUpdated(after: "x") { cursor } }'}, "BAD_USER_INPUT"),
    ],
)
async def test_an_operation_that_cannot_be_run_is_answered_with_a_code(
    socket: Socket, payload: dict[str, str], code: str
) -> None:
    await socket.request(payload)
    message = await socket.receive()
    errors = message["payload"] if message["type"] == "error" else message["payload"]["errors"]
    assert [error["extensions"]["code"] for error in errors] == [code]
    # What others do over the connection goes on.
    await socket.subscribe("{ __typename }", "2")
    while (message := await socket.receive())["id"] != "2":
        assert message["type"] == "complete"
    assert message["payload"]["data"] == {"__typename": "Query"}


async def test_there_is_data_only_where_something_was_executed(socket: Socket) -> None:
    await socket.subscribe("query ($n: Int) { events(first: $n) { totalCount } }", n="x")
    assert (await socket.receive())["payload"].keys() == {"errors", "extensions"}
    await socket.receive()
    await socket.subscribe("{ events(first: -1) { totalCount } }")
    payload = (await socket.receive())["payload"]
    assert payload["data"] is None
    assert payload["errors"][0]["path"] == ["events"]


async def test_a_token_without_the_scope_is_refused(
    application: Starlette, organization: Organization
) -> None:
    secret = await new_token(organization, Scope.EVENTS_WRITE)
    async with connected(application, secret) as socket:
        await socket.subscribe(USAGE)
        message = await socket.receive()
        errors = message["payload"] if message["type"] == "error" else message["payload"]["errors"]
        assert errors[0]["extensions"]["code"] == "FORBIDDEN"

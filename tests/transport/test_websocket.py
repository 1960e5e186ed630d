"""graphql-transport-ws: who is let in, and what is done with messages that are none."""

import asyncio
import json
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.applications import Starlette

from models import Organization, exact_json
from schema.context import Scope, authorization_of
from tests.graphql_client import make_token


class Socket:
    """A WebSocket of the application, without a network."""

    def __init__(self) -> None:
        self.incoming: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self.outgoing: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()

    async def send(self, message: Any) -> None:
        text = message if isinstance(message, str) else exact_json.dumps(message)
        await self.incoming.put({"type": "websocket.receive", "text": text})

    async def event(self) -> MutableMapping[str, Any]:
        async with asyncio.timeout(60):
            return await self.outgoing.get()

    async def receive(self) -> Any:
        found = await self.event()
        assert found["type"] == "websocket.send", found
        return exact_json.loads(found["text"])

    async def close_code(self) -> int:
        found = await self.event()
        assert found["type"] == "websocket.close", found
        code: int = found["code"]
        return code

    async def begin(self, secret: str) -> None:
        payload = {"authorization": f"Bearer {secret}"}
        await self.send({"type": "connection_init", "payload": payload})
        assert await self.receive() == {"type": "connection_ack"}

    async def subscribe(self, query: str, number: str = "1", **variables: Any) -> None:
        payload = {"query": query, "variables": variables}
        await self.send({"type": "subscribe", "id": number, "payload": payload})


@asynccontextmanager
async def connected(
    app: Starlette, protocol: str = "graphql-transport-ws", **headers: str
) -> AsyncIterator[Socket]:
    socket = Socket()
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope: MutableMapping[str, Any] = {
        "type": "websocket",
        "asgi": {"version": "3.0"},
        "path": "/graphql",
        "raw_path": b"/graphql",
        "root_path": "",
        "query_string": b"",
        "scheme": "ws",
        "headers": [(b"host", b"metergraph"), *raw],
        "subprotocols": [protocol],
        "server": ("metergraph", 80),
        "client": ("test", 1),
    }
    await socket.incoming.put({"type": "websocket.connect"})
    serving = asyncio.create_task(app(scope, socket.incoming.get, socket.outgoing.put))
    try:
        yield socket
    finally:
        await socket.incoming.put({"type": "websocket.disconnect", "code": 1000})
        async with asyncio.timeout(60):
            await serving


@pytest.fixture
async def secret(organization: Organization) -> str:
    return await make_token(organization, Scope.ADMIN)


@pytest.fixture
async def socket(application: Starlette, secret: str) -> AsyncIterator[Socket]:
    """A socket that is initialised."""
    async with connected(application) as found:
        assert (await found.event())["type"] == "websocket.accept"
        await found.begin(secret)
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
    application: Starlette, secret: str, payload: dict[str, Any]
) -> None:
    text = exact_json.dumps({"type": "connection_init", "payload": payload}).replace("{}", secret)
    async with connected(application) as socket:
        await socket.event()
        await socket.send(text)
        assert await socket.receive() == {"type": "connection_ack"}


async def test_a_token_may_come_with_the_handshake(application: Starlette, secret: str) -> None:
    async with connected(application, authorization=f"Bearer {secret}") as socket:
        await socket.event()
        await socket.send({"type": "connection_init"})
        assert await socket.receive() == {"type": "connection_ack"}


@pytest.mark.parametrize("secret", ["mg_nonsense", "mg_\ud800", "mg_é", "mg_" + "x" * 300])
async def test_a_token_of_nobody_s_is_refused(application: Starlette, secret: str) -> None:
    message = {"type": "connection_init", "payload": {"authorization": f"Bearer {secret}"}}
    async with connected(application) as socket:
        await socket.event()
        await socket.send(json.dumps(message))
        assert await socket.close_code() == 4403


async def test_nothing_is_done_before_initialisation(application: Starlette) -> None:
    async with connected(application) as socket:
        await socket.event()
        await socket.subscribe("{ __typename }")
        assert await socket.close_code() == 4401


async def test_who_says_nothing_is_closed(
    application: Starlette, monkeypatch: pytest.MonkeyPatch
) -> None:
    graphql = application.state.graphql
    timeout = type(graphql.connection_init_wait_timeout)(milliseconds=10)
    monkeypatch.setattr(graphql, "connection_init_wait_timeout", timeout)
    async with connected(application) as socket:
        await socket.event()
        assert await socket.close_code() == 4408


async def test_another_protocol_is_not_spoken(application: Starlette) -> None:
    async with connected(application, protocol="graphql-ws") as socket:
        await socket.event()
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
    async with connected(application, **headers) as socket:
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
async def test_what_is_no_message_closes_the_socket(socket: Socket, message: str) -> None:
    await socket.send(message)
    assert await socket.close_code() == 4400


async def test_a_query_and_a_mutation_run_too(socket: Socket) -> None:
    await socket.subscribe("{ __typename }")
    message = await socket.receive()
    assert message["payload"]["data"] == {"__typename": "Query"}
    assert await socket.receive() == {"type": "complete", "id": "1"}
    await socket.send({"type": "ping"})
    assert await socket.receive() == {"type": "pong"}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("subscription { nonsense }", "BAD_USER_INPUT"),
        ("}{", "BAD_USER_INPUT"),
        ("", "BAD_USER_INPUT"),
        ("query A { __typename } query B { __typename }", "BAD_USER_INPUT"),
        ("{ " + "a " * 5_000 + "}", "TOO_COMPLEX"),
        ("subscription { usageUpdated(customerId: 1) { cursor } }", "NOT_FOUND"),
        ('subscription { usageUpdated(after: "x") { cursor } }', "BAD_USER_INPUT"),
    ],
)
async def test_an_operation_that_cannot_be_is_answered_with_a_code(
    socket: Socket, query: str, code: str
) -> None:
    await socket.subscribe(query)
    message = await socket.receive()
    errors = message["payload"] if message["type"] == "error" else message["payload"]["errors"]
    assert [error["extensions"]["code"] for error in errors] == [code]
    # What others do over the connection goes on.
    await socket.subscribe("{ __typename }", "2")
    while (message := await socket.receive())["id"] != "2":
        assert message["type"] == "complete"
    assert message["payload"]["data"] == {"__typename": "Query"}


async def test_what_nothing_was_executed_of_has_no_data(socket: Socket) -> None:
    await socket.subscribe("query ($n: Int) { events(first: $n) { totalCount } }", n="x")
    assert (await socket.receive())["payload"].keys() == {"errors", "extensions"}
    await socket.receive()
    await socket.subscribe("{ events(first: -1) { totalCount } }")
    payload = (await socket.receive())["payload"]
    assert payload["data"] is None
    assert payload["errors"][0]["path"] == ["events"]


async def test_a_missing_scope_is_named(application: Starlette, organization: Organization) -> None:
    async with connected(application) as socket:
        await socket.event()
        await socket.begin(await make_token(organization, Scope.EVENTS_WRITE))
        await socket.subscribe("subscription { usageUpdated { cursor } }")
        message = await socket.receive()
        errors = message["payload"] if message["type"] == "error" else message["payload"]["errors"]
        assert errors[0]["extensions"]["code"] == "FORBIDDEN"


async def test_a_socket_has_a_limit_of_operations(
    application: Starlette, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application.state.graphql, "max_subscriptions_per_connection", 2)
    async with connected(application) as socket:
        await socket.event()
        await socket.begin(secret)
        for number in "123":
            await socket.subscribe("subscription { usageUpdated { cursor } }", number)
        refused = await socket.receive()
        assert (refused["type"], refused["id"]) == ("error", "3")
        assert refused["payload"][0]["extensions"]["code"] == "RATE_LIMITED"
        await socket.send({"type": "complete", "id": "1"})
        await socket.subscribe("{ __typename }", "4")
        assert (await socket.receive())["payload"]["data"] == {"__typename": "Query"}


async def test_an_operation_that_the_document_does_not_have(socket: Socket) -> None:
    payload = {"query": "query A { __typename }", "operationName": "B"}
    await socket.send({"id": "1", "type": "subscribe", "payload": payload})
    (error,) = (await socket.receive())["payload"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert "B" in error["message"]


@pytest.mark.parametrize("payload", [None, {}, {"token": 1}, {"other": "x"}, {"headers": "x"}])
def test_other_payloads_carry_no_token(payload: Any) -> None:
    assert authorization_of(payload) is None

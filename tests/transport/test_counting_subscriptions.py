"""Open subscriptions are counted: sockets, streams and refusals, however they end."""

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from typing import Any

import pytest
from starlette.applications import Starlette

from config import clock
from models import AccessToken, Organization, exact_json
from tests.graphql_client import Api
from tests.websocket_client import USAGE, Socket, connected
from transport import websocket
from transport.http import GraphQLApplication

STREAMING = {"accept": "text/event-stream", "content-type": "application/json"}
# Operations that end by themselves.
ENDING = [
    "{ __typename }",
    "{ nothing }",
    "}{",
    "",
    'subscription { usageUpdated(after: "x") { cursor } }',
    "mutation { meterArchive(input: {id: 1}) { userErrors { code } } }",
    "query A { __typename } query B { __typename }",
]


@pytest.fixture
async def graphql(application: Starlette) -> AsyncIterator[GraphQLApplication]:
    """The application, which in the end must have nothing open, nor less than nothing."""
    found: GraphQLApplication = application.state.graphql
    yield found
    async with asyncio.timeout(60):
        while found.subscriptions.total or found.services.feeds.followers:  # noqa: ASYNC110  # there is no event for it
            await asyncio.sleep(0.01)
    assert not found.connections.sockets
    assert not found.connections.streams


@pytest.fixture
async def socket(
    application: Starlette, graphql: GraphQLApplication, api: Api
) -> AsyncIterator[Socket]:
    async with connected(application, api.secret) as found:
        yield found


async def settled(graphql: GraphQLApplication, total: int) -> None:
    async with asyncio.timeout(60):
        while graphql.subscriptions.total != total:  # noqa: ASYNC110  # there is no event for it
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("query", ENDING)
async def test_an_operation_that_ends_is_not_open(
    socket: Socket, graphql: GraphQLApplication, query: str
) -> None:
    await socket.subscribe(query)
    await socket.event()
    await settled(graphql, 0)


async def test_an_operation_may_be_completed_before_it_has_begun(
    socket: Socket, graphql: GraphQLApplication
) -> None:
    for number in "abc":
        await socket.subscribe(USAGE, number)
    await settled(graphql, 3)
    for number in "abcabc":
        await socket.send({"type": "complete", "id": number})
    await settled(graphql, 0)
    # In one breath: the task is cancelled before it has run.
    for number in "defg":
        await socket.subscribe(USAGE, number)
        await socket.send({"type": "complete", "id": number})
    await socket.subscribe(USAGE, "last")
    await settled(graphql, 1)


async def test_an_id_that_is_taken_closes_the_socket(
    application: Starlette, graphql: GraphQLApplication, api: Api, socket: Socket
) -> None:
    async with connected(application, api.secret) as other:
        await other.subscribe(USAGE)
        await socket.subscribe(USAGE, "1")
        await socket.subscribe(USAGE, "2")
        await settled(graphql, 3)
        await socket.subscribe(USAGE, "1")
        assert await socket.close_code() == 4409
        await settled(graphql, 1)


async def test_a_refused_subscription_was_never_open(
    application: Starlette, graphql: GraphQLApplication, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graphql.subscriptions, "_maximum", 3)
    monkeypatch.setattr(graphql, "max_subscriptions_per_connection", 2)
    async with (
        connected(application, api.secret) as socket,
        connected(application, api.secret) as other,
    ):
        # The first connection may have two, and the token three.
        for one, taken in ((socket, ["1", "2"]), (other, ["1"])):
            for number in taken:
                await one.subscribe(USAGE, number)
            await one.subscribe(USAGE, "refused")
            refused = await one.receive()
            assert (refused["type"], refused["id"]) == ("error", "refused")
            assert refused["payload"][0]["extensions"]["code"] == "RATE_LIMITED"
        await settled(graphql, 3)
        unknown = {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}
        await other.request({"extensions": unknown}, "3")
        assert (await other.receive())["type"] == "error"
        assert graphql.subscriptions.total == 3
        # What is completed makes room, for the connection too.
        await socket.send({"type": "complete", "id": "1"})
        await settled(graphql, 2)
        await socket.subscribe("{ __typename }", "4")
        assert (await socket.receive())["payload"]["data"] == {"__typename": "Query"}


async def test_a_revoked_token_ends_what_it_has_open(
    graphql: GraphQLApplication,
    socket: Socket,
    organization: Organization,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(websocket, "SECONDS_BETWEEN_LOOKS_AT_TOKEN", 0.02)
    for number in "123":
        await socket.subscribe(USAGE, number)
    await settled(graphql, 3)
    await AccessToken.filter(organization_id=organization.id).update(revoked_at=clock.now())
    assert await socket.close_code() == 4403
    await settled(graphql, 0)


async def test_a_socket_that_is_gone_has_nothing_open(
    application: Starlette, graphql: GraphQLApplication, api: Api
) -> None:
    async with connected(application, api.secret) as socket:
        for number in "123":
            await socket.subscribe(USAGE, number)
        await settled(graphql, 3)
    assert graphql.subscriptions.total == 0


async def test_a_stopping_process_ends_streams_and_begins_nothing_more(
    application: Starlette, graphql: GraphQLApplication, api: Api, socket: Socket
) -> None:
    client = Streaming(application, api.secret, {"query": USAGE})
    await socket.subscribe(USAGE)
    await client.begin()
    await settled(graphql, 2)
    await graphql.connections.end(60)
    await client.ended()
    assert client.sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
    assert b"complete" not in client.body
    await socket.subscribe(USAGE, "2")
    await socket.send({"type": "ping"})
    assert await socket.receive() == {"type": "pong"}
    assert graphql.subscriptions.total == 1  # the server closes the socket


async def test_a_stream_may_be_ended_before_it_has_begun(
    application: Starlette, graphql: GraphQLApplication, api: Api
) -> None:
    client = Streaming(application, api.secret, {"query": USAGE})
    async with asyncio.timeout(60):
        while not graphql.connections.streams:  # noqa: ASYNC110  # there is no event for it
            await asyncio.sleep(0)
    await graphql.connections.end(60)
    await client.ended()
    assert [message["type"] for message in client.sent][0::2] == ["http.response.start"]
    assert client.serving.exception() is None
    assert not client.sent[-1]["more_body"]


class Streaming:
    """A client of a stream, without a network. `refuses`: it takes nothing at all."""

    def __init__(
        self, application: Starlette, secret: str, body: Any, *, refuses: bool = False
    ) -> None:
        self.sent: list[MutableMapping[str, Any]] = []
        self.refuses = refuses
        self.gone = asyncio.Event()
        self._begun = asyncio.Event()
        self._body = exact_json.dumps(body).encode()
        self._asked = False
        headers = {**STREAMING, "authorization": f"Bearer {secret}", "host": "metergraph"}
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": "/graphql",
            "raw_path": b"/graphql",
            "query_string": b"",
            "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
        self.serving = asyncio.create_task(application(scope, self._receive, self._send))

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)

    async def begin(self) -> None:
        async with asyncio.timeout(60):
            await self._begun.wait()

    async def ended(self) -> None:
        async with asyncio.timeout(60):
            await asyncio.wait((self.serving,))

    async def _receive(self) -> MutableMapping[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": self._body, "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        if self.refuses:
            raise OSError("gone")
        self.sent.append(message)
        self._begun.set()


async def test_a_client_may_be_gone_before_the_first_byte(
    application: Starlette, graphql: GraphQLApplication, api: Api
) -> None:
    client = Streaming(application, api.secret, {"query": USAGE})
    client.gone.set()
    await client.ended()
    refusing = Streaming(application, api.secret, {"query": USAGE}, refuses=True)
    await refusing.ended()
    assert isinstance(refusing.serving.exception(), Exception | None)
    await settled(graphql, 0)


@pytest.mark.parametrize(
    "body",
    [
        *({"query": query} for query in ENDING),
        {"query": "query A { __typename }", "operationName": "B"},
        {"query": "{ __typename }", "operationName": "B"},
        [{"query": USAGE}],
    ],
)
@pytest.mark.usefixtures("graphql")
async def test_a_stream_that_ends_by_itself_is_not_open(
    application: Starlette, api: Api, body: Any
) -> None:
    client = Streaming(application, api.secret, body)
    await client.ended()
    assert client.serving.exception() is None
    assert b"INTERNAL" not in client.body


async def test_a_stream_whose_client_leaves_or_is_cancelled_is_not_open(
    application: Starlette, graphql: GraphQLApplication, api: Api
) -> None:
    going, cancelled = (Streaming(application, api.secret, {"query": USAGE}) for _ in range(2))
    await going.begin()
    await cancelled.begin()
    await settled(graphql, 2)
    going.gone.set()
    cancelled.serving.cancel()
    await going.ended()
    await cancelled.ended()

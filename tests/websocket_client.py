"""Clients of subscriptions: WebSockets, without a network and over one, and event streams."""

import asyncio
import json
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import websockets
from starlette.applications import Starlette

from models import exact_json

PROTOCOL = websockets.Subprotocol("graphql-transport-ws")
USAGE = "subscription { usageUpdated { cursor } }"


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

    async def request(self, payload: Any, number: str = "1") -> None:
        await self.send({"type": "subscribe", "id": number, "payload": payload})

    async def subscribe(self, query: str, number: str = "1", **variables: Any) -> None:
        await self.request({"query": query, "variables": variables}, number)


@asynccontextmanager
async def connecting(
    app: Starlette, protocol: str = PROTOCOL, **headers: str
) -> AsyncIterator[Socket]:
    """A socket that the application has yet to accept."""
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


@asynccontextmanager
async def connected(
    app: Starlette, secret: str | None = None, protocol: str = PROTOCOL, **headers: str
) -> AsyncIterator[Socket]:
    """A socket that is accepted and, with a secret, acknowledged."""
    async with connecting(app, protocol, **headers) as socket:
        assert (await socket.event())["type"] == "websocket.accept"
        if secret is not None:
            await socket.begin(secret)
        yield socket


@asynccontextmanager
async def connected_to(url: str, token: str) -> AsyncIterator[websockets.ClientConnection]:
    """A socket over the network that is acknowledged."""
    address = url.replace("http", "ws", 1) + "/graphql"
    async with websockets.connect(address, subprotocols=[PROTOCOL], open_timeout=60) as socket:
        payload = {"authorization": f"Bearer {token}"}
        await socket.send(json.dumps({"type": "connection_init", "payload": payload}))
        assert json.loads(await socket.recv())["type"] == "connection_ack"
        yield socket


async def subscribe(
    socket: websockets.ClientConnection, number: str, query: str = USAGE, **variables: Any
) -> None:
    """Asks for an operation over a socket of the network."""
    payload = {"query": query, "variables": variables}
    await socket.send(json.dumps({"id": number, "type": "subscribe", "payload": payload}))


def stream(client: httpx.AsyncClient, token: str) -> Any:
    """Follows usage as an event stream."""
    headers = {"authorization": f"Bearer {token}", "accept": "text/event-stream"}
    return client.stream("POST", "/graphql", json={"query": USAGE}, headers=headers)

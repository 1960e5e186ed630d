"""Strangers cannot make a WebSocket keep much: frames, fragments and pings are bounded."""

import asyncio
import json
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from config.settings import Settings
from metergraph.asgi import server
from metergraph.asgi.answering_websocket import AnsweringWebSocketProtocol
from models import Organization
from tests.raw_http import HANDSHAKE
from tests.raw_http import opened as connected
from tests.serving import new_token, served

TEXT, CONTINUED, PING, CLOSE = 1, 0, 9, 8
MOST = 64 * 1024
PLENTY = 4 * 2**20  # what a stranger tries to leave behind


class Client:
    """A WebSocket's other end, which sends frames that no library would."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.sent = 0

    async def send(self, data: bytes) -> None:
        """Sends bytes; raises ConnectionError once the server takes no more."""
        self.writer.write(data)
        await self.writer.drain()
        self.sent += len(data)

    async def message(self, **message: object) -> None:
        """Sends a message of the protocol, whole."""
        await self.send(frame(json.dumps(message).encode()))

    async def frame(self) -> tuple[int, bytes]:
        """What comes next: its kind, and what is in it."""
        async with asyncio.timeout(60):
            first, second = await self.reader.readexactly(2)
            length = second
            if second == 126:
                (length,) = struct.unpack("!H", await self.reader.readexactly(2))
            return first & 15, await self.reader.readexactly(length)

    async def pour(self, piece: bytes) -> int:
        """Sends a piece over and over until the server ends it; gives the bytes it took."""
        while self.sent < PLENTY:
            try:
                async with asyncio.timeout(30):
                    await self.send(piece)
            except (ConnectionError, TimeoutError):
                break
            if self.reader.at_eof():
                break
            await asyncio.sleep(0)
        return self.sent


def frame(payload: bytes, kind: int = TEXT, *, final: bool = True) -> bytes:
    """A frame as clients send it, masked by zeros."""
    size = len(payload)
    if size < 126:
        length = bytes([128 | size])
    elif size < 2**16:
        length = bytes([128 | 126]) + struct.pack("!H", size)
    else:
        length = bytes([128 | 127]) + struct.pack("!Q", size)
    return bytes([128 * final | kind]) + length + bytes(4) + payload


def beginning(size: int) -> bytes:
    """The head of a frame that says how much will follow."""
    return bytes([128 | TEXT, 128 | 127]) + struct.pack("!Q", size) + bytes(4)


@asynccontextmanager
async def opened(settings: Settings, extra: bytes = b"") -> AsyncIterator[Client]:
    async with served(settings) as url:
        reader, writer = await connected(url)
        client = Client(reader, writer)
        await client.send(HANDSHAKE + extra + b"\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 ")
        assert b"sec-websocket-extensions" not in head.lower()  # nothing unpacks to more than it is
        client.sent = 0
        try:
            yield client
        finally:
            writer.close()


POURED = {
    "one long frame": (beginning(9 * 2**20), b"x" * 16_384),
    "many pieces": (frame(b"x", final=False), frame(b"x" * 16_000, CONTINUED, final=False)),
    "pieces of a byte": (
        frame(b"x", final=False),
        frame(b"x", CONTINUED, final=False) * 2_000,
    ),
}


@pytest.mark.usefixtures("redis")
@pytest.mark.parametrize("how", POURED)
async def test_a_stranger_cannot_send_much(settings: Settings, how: str) -> None:
    begin, piece = POURED[how]
    async with opened(settings) as client:
        await client.send(begin)
        # A masked piece of a byte is seven; some more lies in the buffers of both sockets. The
        # reason for the end may be lost there, as the server leaves what is still coming.
        assert await client.pour(piece) < PLENTY


@pytest.mark.usefixtures("redis")
async def test_a_refused_stranger_cannot_send_much_either(settings: Settings) -> None:
    async with opened(settings) as client:
        await client.message(type="connection_init", payload={"authorization": "Bearer mg_nobody"})
        kind, reason = await client.frame()
        assert (kind, struct.unpack("!H", reason[:2])) == (CLOSE, (4403,))
        await client.send(beginning(9 * 2**20))
        assert await client.pour(b"x" * 16_384) < PLENTY


@pytest.mark.usefixtures("redis")
async def test_pings_of_a_client_that_does_not_read_pile_up_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = []

    class Watched(AnsweringWebSocketProtocol):
        def handle_ping(self) -> None:
            super().handle_ping()
            waiting.append(self.transport.get_write_buffer_size())

    monkeypatch.setattr(server, "AnsweringWebSocketProtocol", Watched)
    async with opened(settings) as client:
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]  # it is no mere pipe
        pings = frame(b"x" * 125, PING) * 500
        while len(waiting) < 100_000:
            await client.send(pings)
    assert max(waiting) < 8 * MOST  # the answers to what was read at once may exceed it


async def test_messages_may_be_large_once_the_token_is_known(
    settings: Settings, organization: Organization
) -> None:
    token = await new_token(organization)
    async with opened(settings) as client:
        await client.message(type="connection_init", payload={"token": token})
        assert json.loads((await client.frame())[1]) == {"type": "connection_ack"}
        payload = {"query": "{ __typename }", "variables": {"junk": "x" * 200_000}}
        text = json.dumps({"type": "subscribe", "id": "1", "payload": payload}).encode()
        await client.send(frame(text[:1_000], final=False))
        for start in range(1_000, len(text), 50_000):
            await client.send(frame(text[start : start + 50_000], CONTINUED, final=False))
        await client.send(frame(b"", CONTINUED))
        answer = json.loads((await client.frame())[1])
        assert answer["payload"]["data"] == {"__typename": "Query"}


@pytest.mark.usefixtures("redis")
async def test_a_message_is_as_long_as_its_bytes(
    settings: Settings,
) -> None:
    async with opened(settings) as client:
        await client.message(type="connection_init", payload={"junk": "x" * 60_000})
        assert (await client.frame())[1].startswith(struct.pack("!H", 4403))
    async with opened(settings) as client:
        text = json.dumps({"type": "ping", "payload": {"junk": "€" * 22_000}}, ensure_ascii=False)
        await client.send(frame(text.encode()))
        assert (await client.frame())[1].startswith(struct.pack("!H", 1009))

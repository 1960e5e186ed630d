"""A real receiver of webhooks: an HTTP server of this process, which answers as it is told."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Received:
    """A request as it came, and when, by the loop's clock."""

    target: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def message(self) -> Any:
        return json.loads(self.body)


@dataclass
class Response:
    """What the receiver answers. With `hangs`, it never does."""

    status: int = 200
    body: bytes = b"ok"
    headers: dict[str, str] = field(default_factory=dict)
    hangs: bool = False
    streams_for_ever: bool = False

    @property
    def head(self) -> bytes:
        length = {} if self.streams_for_ever else {"content-length": str(len(self.body))}
        lines = [f"{name}: {value}" for name, value in {**length, **self.headers}.items()]
        return "\r\n".join([f"HTTP/1.1 {self.status} X", *lines, "", ""]).encode()


Answer = Callable[[Received], Awaitable[Response] | Response]


@dataclass
class Receiver:
    """What came, in order. `answer` may be replaced at any time."""

    port: int = 0
    answer: Answer = lambda _received: Response()
    received: list[Received] = field(default_factory=list)
    connections: int = 0
    open_at_once: int = 0
    most_at_once: int = 0
    _came: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks"

    @property
    def messages(self) -> list[Any]:
        return [one.message for one in self.received]

    async def wait_for(self, number: int, seconds: float = 60) -> None:
        """Waits until that many requests have come."""
        async with asyncio.timeout(seconds):
            while len(self.received) < number:
                self._came.clear()
                await self._came.wait()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves one connection."""
        self.connections += 1
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while True:
                await self._answer_one(reader, writer)
        writer.close()

    async def _answer_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        pairs = (line.split(": ", 1) for line in head[1:] if line)
        headers = {name.lower(): value for name, value in pairs}
        body = await reader.readexactly(int(headers["content-length"]))
        now = asyncio.get_running_loop().time()
        received = Received(head[0].split(" ")[1], headers, body, now)
        self.received.append(received)
        self._came.set()
        self.open_at_once += 1
        self.most_at_once = max(self.most_at_once, self.open_at_once)
        try:
            answer = self.answer(received)
            response = answer if isinstance(answer, Response) else await answer
            if response.hangs:
                await reader.read()  # until the sender gives up
                return
            writer.write(response.head + response.body)
            await writer.drain()
            while response.streams_for_ever:
                writer.write(b"x" * 65_536)
                await writer.drain()
        finally:
            self.open_at_once -= 1


@asynccontextmanager
async def receiving(
    answer: Answer | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Receiver]:
    """A receiver that runs inside the block."""
    receiver = Receiver()
    if answer is not None:
        receiver.answer = answer
    serving: set[asyncio.Task[None]] = set()
    writers: list[asyncio.StreamWriter] = []

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        task = asyncio.ensure_future(receiver.serve(reader, writer))
        serving.add(task)
        task.add_done_callback(serving.discard)

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
        for writer in writers:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

"""Server-sent events: a subscription's results as a stream, as long as its token is good.

All other operations have one result, which is streamed once it is there.

https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md, distinct connections.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass

from starlette.responses import Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send
from strawberry.http.streaming import SSETransport

from transport.open_connections import OpenConnections

# A quiet stream sends a comment as often, and at every item the token may be looked at.
SECONDS_BETWEEN_LOOKS_AT_TOKEN = 5.0


def transport() -> SSETransport:
    """How results are written."""
    return SSETransport(heartbeat_interval=SECONDS_BETWEEN_LOOKS_AT_TOKEN)


def streamed_once(result: str) -> Response:
    """The stream of an operation that has one result, as JSON text."""
    written = transport()
    text = written.encode_event("next", result) + written.encode_complete()
    return Response(text, headers=written.headers)


@dataclass(frozen=True)
class Held:
    """What a stream depends on: its token. `ended` is called once, however the stream ends."""

    connections: OpenConnections
    is_good: Callable[[], Awaitable[bool]]
    ended: Callable[[], None]


class EventStream(StreamingResponse):
    """The response of a stream.

    Once its token is good no more, or the process ends, the connection ends without `complete`:
    the client comes again, with the token that it then has.
    """

    def __init__(
        self, stream: AsyncGenerator[str, None], headers: Mapping[str, str], held: Held
    ) -> None:
        self._stream = stream
        self._held = held
        self._deadline = asyncio.timeout(None)
        super().__init__(_while_good(stream, held.is_good), headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Streams until one of the two sides ends it."""
        streams = self._held.connections.streams
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            async with self._deadline:
                streams.add(self)
                await super().__call__(scope, receive, noted)
        except TimeoutError:
            if not self._deadline.expired():
                raise
            if not begun:
                start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
                await send(start)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            streams.discard(self)
            self._held.ended()
            await self._stream.aclose()

    def end(self) -> None:
        """Ends the stream now."""
        self._deadline.reschedule(asyncio.get_running_loop().time())


async def _while_good(
    stream: AsyncGenerator[str, None], is_good: Callable[[], Awaitable[bool]]
) -> AsyncGenerator[str, None]:
    looked = time.monotonic()
    async for item in stream:
        if time.monotonic() - looked >= SECONDS_BETWEEN_LOOKS_AT_TOKEN:
            if not await is_good():
                return
            looked = time.monotonic()
        yield item

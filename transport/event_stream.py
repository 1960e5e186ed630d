"""Server-sent events: streams a subscription's results while its token is valid.

Any other operation streams its one result.

https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md, distinct connections.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass

from starlette.responses import Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send
from strawberry.http.streaming import SSETransport

from transport.connections import OpenConnections

# A quiet stream sends a comment this often; each item is an occasion to check the token.
SECONDS_BETWEEN_LOOKS_AT_TOKEN = 5.0


def transport() -> SSETransport:
    """The format in which results are written."""
    return SSETransport(heartbeat_interval=SECONDS_BETWEEN_LOOKS_AT_TOKEN)


def streamed_once(result: str) -> Response:
    """Returns the stream of one result, which is JSON text."""
    written = transport()
    text = written.encode_event("next", result) + written.encode_complete()
    return Response(text, headers=written.headers)


@dataclass(frozen=True)
class Held:
    """What a stream needs from the application; `ended` is called once when the stream ends."""

    connections: OpenConnections
    is_good: Callable[[], Awaitable[bool]]
    ended: Callable[[], None]


class EventStream(StreamingResponse):
    """The response of a stream.

    When its token is no longer valid, or the process ends, the connection ends without `complete`,
    so that the client reconnects with its current token.
    """

    def __init__(
        self, stream: AsyncGenerator[str, None], headers: Mapping[str, str], held: Held
    ) -> None:
        self._stream = stream
        self._held = held
        self._deadline = asyncio.timeout(None)
        super().__init__(_while_good(stream, held.is_good), headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Streams until one side ends it."""
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

"""Server-sent events: an operation's results as a stream, as long as its token is good.

https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md, distinct connections.
"""

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send
from strawberry.http.streaming import SSETransport

# A quiet stream sends a comment as often, and at every item the token may be looked at.
SECONDS_BETWEEN_LOOKS_AT_TOKEN = 5.0


def transport() -> SSETransport:
    """How results are written."""
    return SSETransport(heartbeat_interval=SECONDS_BETWEEN_LOOKS_AT_TOKEN)


class EventStream(StreamingResponse):
    """The response of a stream. `ended` is called once, however the stream ends.

    Once `is_good` says no, the connection ends without `complete`: the client comes again, with
    the token that it then has.
    """

    def __init__(
        self,
        stream: AsyncGenerator[str, None],
        headers: Mapping[str, str],
        is_good: Callable[[], Awaitable[bool]],
        ended: Callable[[], None],
    ) -> None:
        self._stream = stream
        self._ended = ended
        super().__init__(_while_good(stream, is_good), headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Streams until one of the two sides ends it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._ended()
            await self._stream.aclose()


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

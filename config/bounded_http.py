"""HTTP's heads, bounded: so many bytes, and in so many seconds.

uvicorn bounds neither: a client that never ends its headers, or never begins them, would keep what
it has sent, and its connection, for as long as it likes. Bodies are bounded where they are read.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

MAX_HEAD_BYTES = 64 * 1024
SECONDS_FOR_A_HEAD = 20.0

_REFUSAL = b"HTTP/1.1 431 \r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class BoundedHttpProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which gives up on heads that do not end."""

    _waiting: asyncio.TimerHandle | None = None
    _bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Waits for the first head."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Waits for nothing more."""
        self._end_wait()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Counts what comes before a head is complete."""
        waiting = self._waiting
        super().data_received(data)
        # A head that began in the midst of this is counted from what comes next.
        is_all_of_a_head = self._waiting is not None and self._waiting is waiting
        self._bytes = self._bytes + len(data) if is_all_of_a_head else 0
        if self._bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.transport.write(_REFUSAL)
            self.transport.close()

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._wait()

    def on_headers_complete(self) -> None:
        """A head is complete."""
        self._end_wait()
        super().on_headers_complete()

    def _wait(self) -> None:
        if self._waiting is None:
            self._waiting = self.loop.call_later(SECONDS_FOR_A_HEAD, self._give_up)

    def _end_wait(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _give_up(self) -> None:
        self._waiting = None
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and not cycle.response_complete:
            self._wait()  # the request before it is still being answered
        else:
            self.transport.close()

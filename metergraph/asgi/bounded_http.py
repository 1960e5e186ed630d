"""uvicorn's HTTP protocol, with limits in bytes and seconds on everything but bodies.

uvicorn with httptools does not limit a head or what surrounds a body. A client that never ends its
headers, or never begins them, would hold its memory and its connection for as long as it likes; so
would one that sends trailers or chunk extensions. Bodies are limited where they are read, and here
once their request has been answered.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

MAX_HEAD_BYTES = 64 * 1024
SECONDS_FOR_A_HEAD = 20.0
SECONDS_AFTER_AN_ANSWER = 5.0
"""How long the rest of the body of a refused request may take; it is no longer read.

It is not cut off at once: many clients read the answer only when they have sent everything.
"""

_REFUSAL = b"HTTP/1.1 431 \r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_BETWEEN_FIELDS = len(": \r\n")
_AROUND_A_BYTE = 16  # bytes: a chunk of one byte has five more around it


class _TooLargeError(Exception):
    """Stops the parser."""


class BoundedHttpProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which gives up on heads, and on bodies after an answer, without end."""

    _waiting: asyncio.TimerHandle | None = None
    _fields = 0  # bytes of the request line, the headers and the trailers
    _unused = 0  # bytes since then that belong to neither a whole head nor a body
    _in_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Waits for the first head."""
        super().connection_made(transport)
        self._wait(SECONDS_FOR_A_HEAD)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stops waiting."""
        self._end_wait()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parses, and counts the bytes that do not yet belong to anything."""
        self._unused += len(data)
        super().data_received(data)
        if self._unused > MAX_HEAD_BYTES and not self.transport.is_closing():
            self._refuse()

    def on_message_begin(self) -> None:
        """Begins a head."""
        super().on_message_begin()
        self._in_head = True
        self._fields = self._unused = 0
        self._wait(SECONDS_FOR_A_HEAD)

    def on_url(self, url: bytes) -> None:
        """Counts a part of the request line."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Counts a header or a trailer."""
        self._count(len(name) + len(value) + _BETWEEN_FIELDS)
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Ends a head."""
        self._in_head = False
        self._unused = 0
        self._end_wait()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Takes a part of the body, with the bytes around it."""
        self._unused = max(0, self._unused - len(body) * (1 + _AROUND_A_BYTE))
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Ends a request; the next bytes are another one."""
        self._unused = 0
        self._end_wait()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Ends an answer, and waits for the rest of a body that came too late for it."""
        super().on_response_complete()
        if self.cycle.response_complete and self.cycle.more_body:
            self._wait(SECONDS_AFTER_AN_ANSWER)

    def send_400_response(self, msg: str) -> None:
        """Refuses what cannot be parsed."""
        if self._fields > MAX_HEAD_BYTES:
            self._refuse()
        else:
            super().send_400_response(msg)

    def _count(self, size: int) -> None:
        self._fields += size
        if self._fields > MAX_HEAD_BYTES:
            raise _TooLargeError

    def _refuse(self) -> None:
        if self._in_head:
            self.transport.write(_REFUSAL)
        self.transport.close()

    def _wait(self, seconds: float) -> None:
        if self._waiting is None:
            self._waiting = self.loop.call_later(seconds, self._give_up)

    def _end_wait(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _give_up(self) -> None:
        self._waiting = None
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and not cycle.response_complete:
            self._wait(SECONDS_FOR_A_HEAD)  # the previous request is still being answered
        else:
            self.transport.close()

"""uvicorn's WebSockets, with an answer to every handshake and limits before a token is known.

uvicorn does not answer a handshake that `websockets` cannot read, such as one with a header of more
than 8 KiB (a page's cookies are enough) or more than 128 headers, and keeps the connection for
ever. It has one message limit for all senders, and stores each piece of a message
separately.
"""

from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame
from websockets.protocol import State

from transport.http_request import SMALL_BYTES
from transport.websocket import LARGE_MESSAGES, TOO_LARGE

_REFUSAL = b"HTTP/1.1 400 \r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_LARGEST_FRAME_HEADER = 14
_MOST_PONGS = 64 * 1024  # bytes waiting for a client that does not read


class AnsweringWebSocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's protocol, which passes on how `websockets` refuses a handshake.

    Messages must be small until the application knows the sender and allows large ones.
    """

    _largest = SMALL_BYTES

    async def run_asgi(self) -> None:
        """Runs the application, which may allow large messages."""
        self.scope["extensions"][LARGE_MESSAGES] = self._take_large  # type: ignore[assignment]  # our own, and not a dictionary
        await super().run_asgi()

    def _take_large(self) -> None:
        self._largest = self.config.ws_max_size

    def data_received(self, data: bytes) -> None:
        """Takes data; closes a connection whose handshake failed, or that sends too much."""
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self.transport.write(b"".join(self.conn.data_to_send()) or _REFUSAL)
            self.transport.close()
            return
        waiting = len(self.conn.reader.buffer) + (self.conn.current_size or 0)
        if waiting <= self._largest + _LARGEST_FRAME_HEADER:
            return
        if self.conn.state is State.CONNECTING:  # the application has not accepted it yet
            self.transport.close()
        else:
            self.conn.fail(CloseCode.MESSAGE_TOO_BIG, TOO_LARGE)
            self.handle_parser_exception()

    def handle_cont(self, event: Frame) -> None:
        """Joins the pieces of a message as they arrive; separate pieces would take more memory."""
        whole: Any = self.frames[0]
        if not isinstance(whole, bytearray):
            whole = bytearray(whole)
        whole += event.data
        self.frames = [whole]
        if event.fin:
            self.send_receive_event_to_app()

    def handle_ping(self) -> None:
        """Answers, unless the client does not read its answers."""
        if self.transport.get_write_buffer_size() < _MOST_PONGS:
            super().handle_ping()
        else:
            self.conn.data_to_send()

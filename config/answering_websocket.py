"""WebSocket's handshakes, answered whatever they are.

uvicorn says nothing to one that `websockets` cannot read, such as one with a header of more than
8 KiB (a page's cookies are enough) or more than 128 headers, and keeps its connection for ever.
"""

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

_REFUSAL = b"HTTP/1.1 400 \r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class AnsweringWebSocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's protocol, which hands on what `websockets` says to a handshake that it refuses."""

    def data_received(self, data: bytes) -> None:
        """Takes what comes; ends a connection that will never be one."""
        super().data_received(data)
        refused = self.conn.handshake_exc is not None and not self.handshake_initiated
        if refused and not self.transport.is_closing():
            self.transport.write(b"".join(self.conn.data_to_send()) or _REFUSAL)
            self.transport.close()

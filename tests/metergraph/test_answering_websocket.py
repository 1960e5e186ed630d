"""A handshake that cannot be read is refused, and its connection closed."""

import pytest

from config.settings import Settings
from tests.metergraph.test_bounded_http import exchange
from tests.serving import served

HANDSHAKE = (
    b"GET /graphql HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    b"sec-websocket-protocol: graphql-transport-ws\r\n"
)


@pytest.mark.usefixtures("redis")
@pytest.mark.parametrize(
    ("header", "status"),
    [
        (b"cookie: " + b"a" * 9_000 + b"\r\n", b"431"),
        (b"a: b\r\n" * 130, b"431"),
        (b"content-length: 5\r\n", b"400"),
        (b"transfer-encoding: chunked\r\n", b"400"),
    ],
)
async def test_a_handshake_that_cannot_be_read_is_refused(
    settings: Settings, header: bytes, status: bytes
) -> None:
    async with served(settings) as url:
        answer = await exchange(url, HANDSHAKE + header + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 " + status)

"""Security headers for browsers, on every answer."""

from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    # Pages of other origins may fetch answers under CORS, but not embed them.
    "cross-origin-resource-policy": "same-origin",
    # JSON loads nothing. Pages have policies of their own.
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}


_RAW = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
_POLICY = b"content-security-policy"
_FRAMES = b"x-frame-options"


class SecurityHeaders:
    """Adds the headers that an answer lacks. TLS and HSTS are left to the proxy."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _with_headers(message["headers"])
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _with_headers(sent: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    found = dict(sent)
    headers = [*sent, *(header for header in _RAW if header[0] not in found)]
    if b"frame-ancestors 'none'" not in found.get(_POLICY, b"frame-ancestors 'none'"):
        # X-Frame-Options cannot name allowed origins.
        return [header for header in headers if header[0] != _FRAMES]
    return headers

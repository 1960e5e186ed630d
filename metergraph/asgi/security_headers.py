"""Security headers for browsers, on every answer."""

from starlette.datastructures import MutableHeaders
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
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if "frame-ancestors 'none'" not in headers["content-security-policy"]:
                    del headers["x-frame-options"]  # it cannot name allowed origins
            await send(message)

        await self._app(scope, receive, send_with_headers)

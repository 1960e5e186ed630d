"""What a trusted proxy says of the request that it passes on: the host that the client asked for.

The client's address and scheme are uvicorn's to read, from X-Forwarded-For and -Proto of the same
proxies.
"""

import ipaddress

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Receive, Scope, Send

_ANY = "*"


class ForwardedHost:
    """Puts the X-Forwarded-Host of trusted proxies in the place of Host.

    Args:
        app: the application.
        trusted: addresses and networks of the proxies; `*` is every address.
    """

    def __init__(self, app: ASGIApp, trusted: tuple[str, ...]) -> None:
        self._app = app
        self._any = _ANY in trusted
        self._networks = [
            ipaddress.ip_network(network, strict=False) for network in trusted if network != _ANY
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request."""
        if scope["type"] in {"http", "websocket"} and self._trusts(scope.get("client")):
            # The first is what the client asked the outermost proxy for.
            host = Headers(scope=scope).get("x-forwarded-host", "").partition(",")[0].strip()
            if host:
                scope = {**scope, "headers": list(scope["headers"])}
                MutableHeaders(scope=scope)["host"] = host
        await self._app(scope, receive, send)

    def _trusts(self, client: tuple[str, int] | None) -> bool:
        if self._any or client is None:  # None: through a socket of this machine
            return True
        try:
            address = ipaddress.ip_address(client[0])
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)  # an IPv4 client of a socket on ::
        return any((mapped or address) in network for network in self._networks)

"""Reads the forwarding headers of trusted proxies."""

import ipaddress
from functools import lru_cache
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware


class ForwardedHeaders(ProxyHeadersMiddleware):
    """uvicorn's middleware, which reads X-Forwarded-For and -Proto; this reads -Host as well.

    It also knows IPv4 proxies by their addresses on an IPv6 socket, such as ::ffff:10.1.2.3.
    """

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answers a request."""
        client = scope.get("client")
        if client is not None:
            scope = {**scope, "client": (_ipv4_if_mapped(client[0]), client[1])}
            if scope["client"][0] in self.trusted_hosts:
                # The first is the host that the client asked the outermost proxy for.
                host = Headers(scope=scope).get("x-forwarded-host", "").partition(",")[0].strip()
                if host:
                    scope["headers"] = list(scope["headers"])
                    MutableHeaders(scope=scope)["host"] = host
        await super().__call__(scope, receive, send)


@lru_cache(maxsize=1_024)
def _ipv4_if_mapped(address: str) -> str:
    try:
        mapped = getattr(ipaddress.ip_address(address), "ipv4_mapped", None)
    except ValueError:
        return address
    return address if mapped is None else str(mapped)

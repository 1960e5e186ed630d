"""Decides which pages may open a WebSocket: those of the API's own host and of allowed origins.

Browsers do not apply CORS to WebSockets. Tokens are never in a cookie, so a page of another origin
cannot act with one; refusing the page is a second line of defence.
"""

import logging
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from strawberry.http.websocket_origin import is_same_origin, normalize_origin

_log = logging.getLogger(__name__)


def may_open_socket(headers: Mapping[str, str], allowed: Collection[str]) -> bool:
    """Whether the client is not a page, a page of this host, or a page of an allowed origin.

    Args:
        headers: the headers of the handshake, by lowercase name.
        allowed: origins as browsers write them; `*` is every origin.
    """
    origin, host = headers.get("origin"), headers.get("host", "")
    if (
        origin is None  # every browser sends one
        or headers.get("sec-fetch-site") == "same-origin"
        or is_same_origin(origin, host)
        or _is_same_name(origin, host)
        or "*" in allowed
        or normalize_origin(origin) in allowed
    ):
        return True
    _log.warning(
        "refused the WebSocket of a page of %r, which was sent to host %r. If it is the API's own "
        "page behind a proxy, let the proxy pass on the browser's Host. If it is another page that "
        "may use the API, add its origin to METERGRAPH_CORS_ORIGINS.",
        origin,
        host,
    )
    return False


def _is_same_name(origin: str, host: str) -> bool:
    """Whether a host without a port has the origin's name; many proxies drop the port."""
    try:
        asked, page = urlsplit(f"//{host.strip()}"), urlsplit(origin)
        has_port = asked.port is not None
    except ValueError:
        return False
    return not has_port and asked.hostname is not None and asked.hostname == page.hostname

"""Which pages may open a WebSocket: those of the API's own host, and of the set origins.

Browsers apply no CORS to WebSockets. Our tokens are in no cookie, so a page of another origin has
nothing to act with; refusing it is a second line of defence.
"""

import logging
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from strawberry.http.websocket_origin import is_same_origin, normalize_origin

_log = logging.getLogger(__name__)


def may_open_socket(headers: Mapping[str, str], allowed: Collection[str]) -> bool:
    """Whether who asks is no page, a page of this host, or a page of an allowed origin.

    Args:
        headers: those of the handshake, by lowercase name.
        allowed: origins as browsers write them; `*` is every origin.
    """
    origin, host = headers.get("origin"), headers.get("host", "")
    if (
        origin is None  # all browsers send it
        or headers.get("sec-fetch-site") == "same-origin"
        or is_same_origin(origin, host)
        or _is_same_name(origin, host)
        or "*" in allowed
        or normalize_origin(origin) in allowed
    ):
        return True
    _log.warning(
        "refused the WebSocket of a page of %r: it was sent to host %r. If that is the API's own "
        "page behind a proxy, let the proxy pass the browser's Host on; if it is another page that "
        "may use the API, name its origin in METERGRAPH_CORS_ORIGINS.",
        origin,
        host,
    )
    return False


def _is_same_name(origin: str, host: str) -> bool:
    """Whether a host without a port has the origin's name: many proxies drop the port."""
    try:
        asked, page = urlsplit(f"//{host.strip()}"), urlsplit(origin)
        has_port = asked.port is not None
    except ValueError:
        return False
    return not has_port and asked.hostname is not None and asked.hostname == page.hostname

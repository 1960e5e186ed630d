"""Checks which pages may open a WebSocket, and which are the server's own.

Browsers apply no CORS to WebSockets, so the server checks where a page is from: its own host and
`METERGRAPH_CORS_ORIGINS` may connect, with a token. A session cookie counts for its own pages only,
by their exact origin.
"""

import logging
from collections.abc import Collection, Mapping
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from strawberry.http.websocket_origin import is_same_origin, normalize_origin

_LONGEST_HOST = 300  # characters: a name has 253, and a port 5

_log = logging.getLogger(__name__)


def origin_asked(connection: HTTPConnection) -> str | None:
    """Returns the origin that a request was sent to, also behind a proxy; None if invalid."""
    scheme = "https" if connection.scope["scheme"] in {"https", "wss"} else "http"
    host = connection.headers.get("host", "")
    return None if len(host) > _LONGEST_HOST else _origin_of(scheme, host)


@lru_cache(maxsize=256)
def _origin_of(scheme: str, host: str) -> str | None:
    return normalize_origin(f"{scheme}://{host}")


def own_page(connection: HTTPConnection, public_url: str | None) -> str | None:
    """Returns the page's origin if one of the server's own pages sends the request; else None.

    In `Sec-Fetch-Site`, browsers say whether a request comes from the origin that it goes to.
    Without this header, and for WebSockets, `Origin` must be that of the request, or `public_url`.
    If the page has https and the request has not, a proxy ends TLS without saying so.
    """
    page = normalize_origin(connection.headers.get("origin", ""))
    site = connection.headers.get("sec-fetch-site")
    if connection.scope["type"] == "http" and site is not None:
        return (page or origin_asked(connection)) if site == "same-origin" else None
    asked = origin_asked(connection)
    if page is None or asked is None:
        return None
    own = {asked, _with_tls(connection), normalize_origin(public_url or "")}
    return page if page in own else None


def _with_tls(connection: HTTPConnection) -> str | None:
    return normalize_origin(f"https://{connection.headers.get('host', '')}")


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

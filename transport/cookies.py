"""Session cookies of browsers, and the rules by which they are accepted.

A cookie counts only for the server's own pages, and only if the page identifies itself: in a header
that no page of another origin may send, or in the payload of `connection_init`. The dashboard and
the portal each have their own cookie. Under TLS its name begins with `__Host-`, which no other host
can set.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from starlette.requests import HTTPConnection
from starlette.responses import Response

from config import clock
from schema.credentials import authorization_of, bearer
from schema.errors import BadUserInput, Forbidden, Unauthenticated
from schema.secrets import Client, Credential
from transport.page_origins import own_page

CLIENT_HEADER = "x-metergraph-client"
_CLIENTS = " or ".join(Client)
_DENIED_OVER_WEBSOCKET = (
    'This needs a token: send {"authorization": "Bearer mg_…"} as the payload of connection_init'
)


def credential_of_request(
    connection: HTTPConnection, method: str, public_url: str | None
) -> Credential | None:
    """Returns the credential of a request; None if it has none. A token wins over a cookie.

    Raises BadUserInput, Forbidden or Unauthenticated for a credential sent in the wrong way.
    """
    authorization = connection.headers.get("authorization")
    if authorization:
        return bearer(authorization)
    if CLIENT_HEADER not in connection.headers:
        return None
    client, page = client_and_page(connection, public_url)
    if method != "POST":
        raise Forbidden("A signed-in browser must send its operations by POST")
    secret = cookie_secret(connection, client, page)
    return None if secret is None else Credential(secret, client)


def credential_of_socket(
    handshake: HTTPConnection, payload: Mapping[str, Any] | None, public_url: str | None
) -> Credential:
    """Returns the credential in `connection_init` or the handshake; raises as for a request."""
    authorization = authorization_of(payload) or handshake.headers.get("authorization")
    if authorization:
        return bearer(authorization)
    if not payload or "client" not in payload:
        raise Unauthenticated(_DENIED_OVER_WEBSOCKET)
    client, page = _client(payload["client"]), _page(handshake, public_url)
    secret = cookie_secret(handshake, client, page)
    if secret is None:
        raise Unauthenticated("This browser is not signed in")
    return Credential(secret, client)


def client_and_page(connection: HTTPConnection, public_url: str | None) -> tuple[Client, str]:
    """Returns the client that sends a request, and the origin of its page.

    Raises BadUserInput if it names none, and Forbidden if the page is not the server's own.
    """
    return _client(connection.headers.get(CLIENT_HEADER)), _page(connection, public_url)


def _client(named: object) -> Client:
    try:
        return Client(str(named))
    except ValueError:
        raise BadUserInput(f"The client must be {_CLIENTS}") from None


def _page(connection: HTTPConnection, public_url: str | None) -> str:
    page = own_page(connection, public_url)
    if page is None:
        raise Forbidden(
            "Browser sessions work only on this server's own pages; behind a proxy, set "
            "METERGRAPH_PUBLIC_URL"
        )
    return page


def cookie_secret(connection: HTTPConnection, client: Client, page: str) -> str | None:
    """Returns the secret in a client's cookie; None if there is none, or two different ones.

    Of two cookies with one name, we cannot have set both, so neither is trusted.
    """
    name = _cookie_name(client, page)
    found = set()
    for header in connection.headers.getlist("cookie"):
        for pair in header.split(";"):
            key, _, value = pair.partition("=")
            if key.strip() == name:
                found.add(value.strip())
    return found.pop() if len(found) == 1 else None


def set_cookie(
    response: Response, client: Client, page: str, secret: str, expires_at: datetime
) -> None:
    """Sets a cookie with a secret that no script can read, until it expires."""
    seconds = max(0, int((expires_at - clock.now()).total_seconds()))
    _write_cookie(response, client, page, secret, seconds)


def clear_cookie(response: Response, client: Client, page: str) -> None:
    """Deletes the cookie from the browser."""
    _write_cookie(response, client, page, "", 0)


def _write_cookie(response: Response, client: Client, page: str, value: str, seconds: int) -> None:
    response.set_cookie(
        _cookie_name(client, page),
        value,
        max_age=seconds,
        path="/",
        secure=_has_tls(page),
        httponly=True,
        samesite="strict",
    )


def _cookie_name(client: Client, page: str) -> str:
    return f"__Host-metergraph-{client}" if _has_tls(page) else f"metergraph-{client}"


def _has_tls(page: str) -> bool:
    return page.startswith("https://")

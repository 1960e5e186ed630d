"""Signs browsers in and out: `POST` and `DELETE /session`.

POST takes an access token (for the dashboard) or a customer's session token (for the portal), and
sets a cookie with its own secret. It lasts twelve hours, but no longer than that token or session.
"""

from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from config import clock
from models.identifiers import new_id
from schema.context import Identity, SessionIdentity, TokenIdentity
from schema.credentials import identify
from schema.errors import BadUserInput, Forbidden, Unauthenticated
from schema.loaders.rows import fetch
from schema.repeating import attempt
from schema.scalars import print_datetime
from schema.secrets import BROWSER_PREFIX, Client, Credential, hash_secret, new_secret
from transport.answering import answered, denied
from transport.cookies import clear_cookie, client_and_page, cookie_secret, set_cookie
from transport.http import GraphQLApplication
from transport.http_request import (
    JSON,
    SMALL_BYTES,
    HTTPError,
    check_content_type,
    decode_json,
    read_body,
)
from transport.http_response import encode_json

LASTS = timedelta(hours=12)
MOST_OF_CREDENTIAL = 1_000

# Signing in again replaces the browser's earlier session. Beyond the bound, the oldest are deleted.
_SIGN_IN = """
WITH replaced AS (DELETE FROM browser_session WHERE secret_hash = $8),
     oldest AS (
         DELETE FROM browser_session WHERE id IN (
             SELECT id FROM browser_session WHERE token_id = $3 OR customer_session_id = $4
             ORDER BY id DESC OFFSET $9
         )
     )
INSERT INTO browser_session (
    id, organization_id, token_id, customer_session_id, secret_hash, created_at, expires_at
) VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
_SIGN_OUT = "DELETE FROM browser_session WHERE secret_hash = $1"


class BrowserSessions:
    """The endpoint; `app.state.graphql` must be an open GraphQLApplication."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        api: GraphQLApplication = scope["app"].state.graphql
        request = Request(scope, receive)
        with attempt():
            response = await answered(
                lambda: _answer(request, api), api.connections, api.settings.request_timeout_seconds
            )
        response.headers["cache-control"] = "no-store"
        await response(scope, receive, send)


async def _answer(request: Request, api: GraphQLApplication) -> Response:
    if request.method not in {"POST", "DELETE"}:
        raise HTTPError(405, BadUserInput("Use POST or DELETE"), {"allow": "POST, DELETE"})
    try:
        client, page = client_and_page(request, api.settings.public_url)
        if request.method == "DELETE":
            return await _signed_out(request, client, page)
        return await _signed_in(request, client, page, api)
    except (BadUserInput, Forbidden, Unauthenticated) as error:
        raise denied(error) from None


async def _signed_in(
    request: Request, client: Client, page: str, api: GraphQLApplication
) -> Response:
    check_content_type(request)
    token = _token(await read_body(request, SMALL_BYTES))
    identity = await identify(Credential(token), api.services.secrets)
    _check_client(identity, client)
    await api.operations.limit(identity)
    now = clock.now()
    expires_at = min(now + LASTS, identity.expires_at or now + LASTS)
    secret = new_secret(BROWSER_PREFIX)
    before = cookie_secret(request, client, page)
    token_id = identity.token_id if isinstance(identity, TokenIdentity) else None
    session_id = identity.session_id if isinstance(identity, SessionIdentity) else None
    await fetch(
        _SIGN_IN,
        new_id(),
        identity.organization_id,
        token_id,
        session_id,
        hash_secret(secret),
        now,
        expires_at,
        None if before is None else hash_secret(before),
        MOST_OF_CREDENTIAL - 1,
    )
    response = Response(encode_json({"expiresAt": print_datetime(expires_at)}), media_type=JSON)
    set_cookie(response, client, page, secret, expires_at)
    return response


def _token(body: bytes) -> str:
    try:
        sent = decode_json(body)
    except ValueError as error:
        raise BadUserInput(f"The body is not JSON: {error}") from None
    token = sent.get("token") if isinstance(sent, dict) else None
    if not isinstance(token, str):
        raise BadUserInput('The body must be {"token": "mg_…"}')
    return token


def _check_client(identity: Identity, client: Client) -> None:
    """Raises Forbidden for a token of the other client."""
    if client is Client.DASHBOARD and not isinstance(identity, TokenIdentity):
        raise Forbidden("The dashboard needs an access token, and this is a customer's session")
    if client is Client.PORTAL and not isinstance(identity, SessionIdentity):
        raise Forbidden("The portal needs a customer's session, and this is an access token")


async def _signed_out(request: Request, client: Client, page: str) -> Response:
    secret = cookie_secret(request, client, page)
    if secret is not None:
        await fetch(_SIGN_OUT, hash_secret(secret))
    response = Response(status_code=204)
    clear_cookie(response, client, page)
    return response

"""Identifies the caller by the token or session that a request carries.

A token comes as `Authorization: Bearer mg_…`, or over WebSocket in the payload of
`connection_init`, as {"authorization": "Bearer mg_…"} or {"token": "mg_…"}. A browser that is
signed in sends a cookie instead; see `transport.cookies`.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from config import clock
from schema.context import Identity, Scope, SessionIdentity, TokenIdentity
from schema.errors import Unauthenticated
from schema.loaders.rows import execute_aside
from schema.secrets import Credential, SecretLookup, is_like_secret
from waiting import shares
from waiting.outages import cut_off_is_outage, is_outage

LAST_USED_EVERY = timedelta(minutes=1)


def bearer(authorization: str) -> Credential:
    """The credential in an Authorization header; raises Unauthenticated if there is none."""
    scheme, _, secret = authorization.strip().partition(" ")
    secret = secret.strip()
    if scheme.lower() != "bearer" or not secret:
        raise Unauthenticated("The Authorization header must be `Bearer mg_…`")
    return Credential(secret)


def authorization_of(payload: Mapping[str, Any] | None) -> str | None:
    """Returns the Authorization value in a `connection_init` payload, under any usual name."""
    if not payload:
        return None
    named = {key.lower(): value for key, value in payload.items() if isinstance(value, str)}
    if "authorization" in named:
        return named["authorization"]
    if "token" in named:
        return f"Bearer {named['token'].removeprefix('Bearer ')}"
    headers = payload.get("headers")
    return authorization_of(headers) if isinstance(headers, dict) else None


async def identify(credential: Credential, secrets: SecretLookup) -> Identity:
    """Returns the owner of a credential; raises Unauthenticated if it is unknown or has expired.

    Also records when a token was last used.
    """
    identity = await _find(credential, secrets)
    if identity is None:
        raise Unauthenticated(credential.refusal)
    return identity


async def _find(credential: Credential, secrets: SecretLookup) -> Identity | None:
    if not is_like_secret(credential.secret):
        return None
    row = await secrets.find(credential.secret)
    now = clock.now()
    if row is None or (row["expires_at"] is not None and row["expires_at"] <= now):
        return None
    if row["client"] != credential.client:  # a token or another client's cookie
        return None
    shares.serve(row["organization_id"])
    if row["customer_id"] is not None:
        return SessionIdentity(
            row["organization_id"], row["id"], row["customer_id"], row["expires_at"]
        )
    if row["last_used_at"] is None or now - row["last_used_at"] > LAST_USED_EVERY:
        await _note_use(row["id"], now)
    scopes = _scopes(tuple(row["scopes"]))
    return TokenIdentity(row["organization_id"], row["id"], scopes, row["expires_at"])


@lru_cache(maxsize=256)
def _scopes(names: tuple[str, ...]) -> frozenset[Scope]:
    known = Scope.__members__
    return frozenset(known[name] for name in names if name in known)


async def _note_use(token_id: Any, now: datetime) -> None:
    """Records when a token was used, unless the database is read-only or full."""
    try:
        with cut_off_is_outage():
            await execute_aside(
                "UPDATE access_token SET last_used_at = $2 WHERE id = $1", token_id, now
            )
    except Exception as error:
        if not is_outage(error):
            raise

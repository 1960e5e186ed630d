"""Secrets of tokens and sessions: random, shown once, stored as SHA-256, and looked up by that.

They carry 256 random bits, so a plain hash is enough: there is nothing to guess.

Every request looks one up. Requests that arrive while a lookup is under way share the next
statement. No request is answered by a statement that began before it arrived, so a revoked token
is refused at once. A statement without an answer does not hold up later requests.
"""

import asyncio
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from contextvars import Context
from dataclasses import dataclass
from enum import StrEnum
from typing import cast

import asyncpg

from schema.loaders.rows import Record, fetch_aside
from waiting.outages import cut_off_is_outage

PREFIX = "mg_"
SESSION_PREFIX = "mg_session_"
BROWSER_PREFIX = "mg_browser_"
_LONGEST = 200
# Later requests do not wait for a statement that has taken this long.
_SLOW_SECONDS = 1.0
_STATEMENTS_AT_ONCE = 2
_LOST = (asyncpg.ConnectionDoesNotExistError, asyncpg.InterfaceError)

# A session ends with the token that opened it, and a browser's with the token or session that it
# acts for. `client` is where the browser is signed in. LEAST ignores nulls.
_FIND = """
SELECT secret_hash, id, organization_id, scopes, last_used_at,
       NULL::uuid AS customer_id, expires_at, NULL::text AS client
  FROM access_token
 WHERE secret_hash = ANY($1::bytea[]) AND revoked_at IS NULL
 UNION ALL
SELECT session.secret_hash, session.id, session.organization_id, NULL, NULL, session.customer_id,
       LEAST(session.expires_at, token.expires_at), NULL
  FROM customer_session session LEFT JOIN access_token token ON token.id = session.token_id
 WHERE session.secret_hash = ANY($1::bytea[]) AND token.revoked_at IS NULL
 UNION ALL
SELECT browser.secret_hash, token.id, token.organization_id, token.scopes, token.last_used_at,
       NULL, LEAST(browser.expires_at, token.expires_at), 'dashboard'
  FROM browser_session browser JOIN access_token token ON token.id = browser.token_id
 WHERE browser.secret_hash = ANY($1::bytea[]) AND token.revoked_at IS NULL
 UNION ALL
SELECT browser.secret_hash, session.id, session.organization_id, NULL, NULL, session.customer_id,
       LEAST(browser.expires_at, session.expires_at, token.expires_at), 'portal'
  FROM browser_session browser
  JOIN customer_session session ON session.id = browser.customer_session_id
  LEFT JOIN access_token token ON token.id = session.token_id
 WHERE browser.secret_hash = ANY($1::bytea[]) AND token.revoked_at IS NULL
"""


class Client(StrEnum):
    """The clients that browsers sign in to, each with its own cookie."""

    DASHBOARD = "dashboard"
    PORTAL = "portal"


@dataclass(frozen=True)
class Credential:
    """What a caller sends: a bearer token, or a browser's cookie."""

    secret: str
    client: Client | None = None

    @property
    def refusal(self) -> str:
        """The message if it is unknown or has expired."""
        if self.client is None:
            return "The token is unknown, revoked or expired"
        return "The session has ended: sign in again"


def new_secret(prefix: str = PREFIX) -> str:
    """Makes a secret: `prefix` and 43 characters of base64url."""
    return prefix + secrets.token_urlsafe(32)


def is_like_secret(text: str) -> bool:
    """Whether a text has the form of a secret."""
    return len(text) <= _LONGEST and text.isascii()


def hash_secret(secret: str) -> bytes:
    """Returns the hash of a secret, which is all that is stored of it."""
    return hashlib.sha256(secret.encode()).digest()


class SecretLookup:
    """Looks secrets up; one per process."""

    def __init__(self) -> None:
        self._waiting: dict[bytes, asyncio.Future[Record | None]] = {}
        self._lanes: set[asyncio.Task[None]] = set()
        # The lane that new requests join; None if there is none, or it has become slow.
        self._open: asyncio.Task[None] | None = None

    async def find(self, secret_hash: bytes) -> Record | None:
        """Returns the row of the token or session, expired or not; None if the secret is unknown.

        Raises what the database raises.
        """
        answer = self._waiting.get(secret_hash)
        if answer is None:
            answer = asyncio.get_running_loop().create_future()
            self._waiting[secret_hash] = answer
        self._open_lane()
        # Others may wait for the same answer, so a caller that leaves must not cancel it.
        return await asyncio.shield(answer)

    def _open_lane(self) -> None:
        if self._waiting and self._open is None and len(self._lanes) < _STATEMENTS_AT_ONCE:
            self._open = asyncio.create_task(self._run(), context=Context())
            self._lanes.add(self._open)

    async def _run(self) -> None:
        lane = cast("asyncio.Task[None]", asyncio.current_task())
        asked: Mapping[bytes, asyncio.Future[Record | None]] = {}
        try:
            while self._waiting and self._open is lane:
                asked, self._waiting = self._waiting, {}
                is_slow = asyncio.get_running_loop().call_later(_SLOW_SECONDS, self._pass, lane)
                try:
                    await _answer(asked)
                finally:
                    is_slow.cancel()
        except asyncio.CancelledError:
            # The process ends.
            for answer in (*asked.values(), *self._waiting.values()):
                answer.cancel()
            self._waiting = {}
            raise
        finally:
            self._lanes.discard(lane)
            self._pass(lane)

    def _pass(self, lane: "asyncio.Task[None]") -> None:
        """Lets another lane serve new requests."""
        if self._open is lane:
            self._open = None
        self._open_lane()


async def _answer(asked: Mapping[bytes, "asyncio.Future[Record | None]"]) -> None:
    try:
        rows = await _find(list(asked))
    except Exception as error:  # noqa: BLE001  # passed on to the callers
        for answer in asked.values():
            answer.set_exception(error)
            answer.exception()  # retrieved, even if every caller has left
    else:
        found = {row["secret_hash"]: row for row in rows}
        for secret_hash, answer in asked.items():
            answer.set_result(found.get(secret_hash))


async def _find(hashes: Sequence[bytes]) -> Sequence[Record]:
    with cut_off_is_outage():
        try:
            return await fetch_aside(_FIND, hashes)
        except _LOST:
            # The connection was silent, or the server closed it: use another one.
            return await fetch_aside(_FIND, hashes)

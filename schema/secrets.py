"""Secrets of tokens and sessions: random, shown once, stored as SHA-256, and looked up by that.

They carry 256 random bits, so a plain hash is enough: there is nothing to guess.

Every request looks one up, so requests that arrive while the database is being asked share the next
statement. None is answered from before it arrived: a token that was revoked is refused at once. A
statement that gets no answer does not hold up those who come after it.
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
# Requests that arrive later do not wait for a statement that has taken so long.
_SLOW_SECONDS = 1.0
_STATEMENTS_AT_ONCE = 2
_LOST = (asyncpg.ConnectionDoesNotExistError, asyncpg.InterfaceError)

# A session ends with the token that opened it, and a browser's with the token or session that it
# acts for: `client` is where that one is signed in. LEAST leaves out what is null.
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
    """What browsers sign in to, each with a cookie of its own."""

    DASHBOARD = "dashboard"
    PORTAL = "portal"


@dataclass(frozen=True)
class Credential:
    """What a caller shows: a bearer token, or the cookie of a browser."""

    secret: str
    client: Client | None = None

    @property
    def refusal(self) -> str:
        """What is said if it is nobody's, or has ended."""
        if self.client is None:
            return "The token is unknown, revoked or expired"
        return "The session has ended: sign in again"


def new_secret(prefix: str = PREFIX) -> str:
    """A new secret: `prefix` and 43 characters of base64url."""
    return prefix + secrets.token_urlsafe(32)


def is_like_secret(text: str) -> bool:
    """Whether a text can be a secret at all."""
    return len(text) <= _LONGEST and text.isascii()


def hash_secret(secret: str) -> bytes:
    """What is stored of a secret."""
    return hashlib.sha256(secret.encode()).digest()


class SecretLookup:
    """One a process."""

    def __init__(self) -> None:
        self._waiting: dict[bytes, asyncio.Future[Record | None]] = {}
        self._lanes: set[asyncio.Task[None]] = set()
        # The lane that takes who comes; None where there is none, or it has become slow.
        self._open: asyncio.Task[None] | None = None

    async def find(self, secret_hash: bytes) -> Record | None:
        """The row of the token, or of the session, expired or not; None if the secret is unknown.

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
        """Lets another lane take who comes."""
        if self._open is lane:
            self._open = None
        self._open_lane()


async def _answer(asked: Mapping[bytes, "asyncio.Future[Record | None]"]) -> None:
    try:
        rows = await _find(list(asked))
    except Exception as error:  # noqa: BLE001  # passed on to the callers
        for answer in asked.values():
            answer.set_exception(error)
            answer.exception()  # seen, also where everybody who asked has left
    else:
        found = {row["secret_hash"]: row for row in rows}
        for secret_hash, answer in asked.items():
            answer.set_result(found.get(secret_hash))


async def _find(hashes: Sequence[bytes]) -> Sequence[Record]:
    with cut_off_is_outage():
        try:
            return await fetch_aside(_FIND, hashes)
        except _LOST:
            # The connection had fallen silent, or was closed by the server: there are others.
            return await fetch_aside(_FIND, hashes)

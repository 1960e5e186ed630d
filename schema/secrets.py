"""Secrets of tokens and sessions: random, shown once, stored as SHA-256, and looked up by that.

They carry 256 random bits, so a plain hash is enough: there is nothing to guess.

Every request looks one up, in the table that its prefix names. Requests that arrive while a lookup
is under way share the next statement. No request is answered by a statement that began before it
arrived, so a revoked token is refused at once. A statement without an answer does not hold up later
requests.
"""

import asyncio
import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence
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
# acts for. `client` is where the browser is signed in. LEAST ignores nulls. The inner SELECT hides
# how many secrets there are, so that PostgreSQL keeps one plan instead of planning every lookup.
_FIND_TOKENS = """
SELECT secret_hash, id, organization_id, scopes, last_used_at,
       NULL::uuid AS customer_id, expires_at, NULL::text AS client
  FROM access_token
 WHERE secret_hash = ANY((SELECT $1::bytea[])::bytea[]) AND revoked_at IS NULL
"""
_FIND_SESSIONS = """
SELECT session.secret_hash, session.id, session.organization_id, NULL AS scopes,
       NULL AS last_used_at, session.customer_id,
       LEAST(session.expires_at, token.expires_at) AS expires_at, NULL AS client
  FROM customer_session session LEFT JOIN access_token token ON token.id = session.token_id
 WHERE session.secret_hash = ANY((SELECT $1::bytea[])::bytea[]) AND token.revoked_at IS NULL
"""
_FIND_BROWSERS = """
SELECT browser.secret_hash, token.id, token.organization_id, token.scopes, token.last_used_at,
       NULL::uuid AS customer_id, LEAST(browser.expires_at, token.expires_at) AS expires_at,
       'dashboard' AS client
  FROM browser_session browser JOIN access_token token ON token.id = browser.token_id
 WHERE browser.secret_hash = ANY((SELECT $1::bytea[])::bytea[]) AND token.revoked_at IS NULL
 UNION ALL
SELECT browser.secret_hash, session.id, session.organization_id, NULL, NULL, session.customer_id,
       LEAST(browser.expires_at, session.expires_at, token.expires_at), 'portal'
  FROM browser_session browser
  JOIN customer_session session ON session.id = browser.customer_session_id
  LEFT JOIN access_token token ON token.id = session.token_id
 WHERE browser.secret_hash = ANY((SELECT $1::bytea[])::bytea[]) AND token.revoked_at IS NULL
"""


# By the prefix of what it finds. A token has none of the others', so it comes last.
_FIND = {
    SESSION_PREFIX: _FIND_SESSIONS,
    BROWSER_PREFIX: _FIND_BROWSERS,
    "": _FIND_TOKENS,
}


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
        self._waiting: dict[str, asyncio.Future[Record | None]] = {}
        self._lanes: set[asyncio.Task[None]] = set()
        # The lane that new requests join; None if there is none, or it has become slow.
        self._open: asyncio.Task[None] | None = None

    async def find(self, secret: str) -> Record | None:
        """Returns the row of the token or session, expired or not; None if the secret is unknown.

        Raises what the database raises.
        """
        answer = self._waiting.get(secret)
        if answer is None:
            answer = asyncio.get_running_loop().create_future()
            self._waiting[secret] = answer
        self._open_lane()
        # Others may wait for the same answer, so a caller that leaves must not cancel it.
        return await asyncio.shield(answer)

    def _open_lane(self) -> None:
        if self._waiting and self._open is None and len(self._lanes) < _STATEMENTS_AT_ONCE:
            self._open = asyncio.create_task(self._run(), context=Context())
            self._lanes.add(self._open)

    async def _run(self) -> None:
        lane = cast("asyncio.Task[None]", asyncio.current_task())
        asked: Mapping[str, asyncio.Future[Record | None]] = {}
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


async def _answer(asked: Mapping[str, "asyncio.Future[Record | None]"]) -> None:
    rows: list[Record] = []
    try:
        hashes = {secret: hash_secret(secret) for secret in asked}
        for statement, secrets_ in _by_statement(asked).items():
            rows += await _find(statement, [hashes[secret] for secret in secrets_])
    except Exception as error:  # noqa: BLE001  # passed on to the callers
        for answer in asked.values():
            answer.set_exception(error)
            answer.exception()  # retrieved, even if every caller has left
    else:
        found = {row["secret_hash"]: row for row in rows}
        for secret, answer in asked.items():
            answer.set_result(found.get(hashes[secret]))


def _by_statement(asked: Iterable[str]) -> dict[str, list[str]]:
    """Returns the secrets that each statement has to find."""
    found: dict[str, list[str]] = {}
    for secret in asked:
        prefix = next(prefix for prefix in _FIND if secret.startswith(prefix))
        found.setdefault(_FIND[prefix], []).append(secret)
    return found


async def _find(statement: str, hashes: Sequence[bytes]) -> Sequence[Record]:
    with cut_off_is_outage():
        try:
            return await fetch_aside(statement, hashes)
        except _LOST:
            # The connection was silent, or the server closed it: use another one.
            return await fetch_aside(statement, hashes)

"""Who asks: the organization's token or the customer's session behind a request.

A token comes as `Authorization: Bearer mg_…`, or over WebSocket in the payload of
`connection_init`, as {"authorization": "Bearer mg_…"} or {"token": "mg_…"}. It is looked up by
its hash. Everything that a request reads is bound to `identity.organization_id`.
"""

import enum
from collections.abc import Hashable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import strawberry

from config import clock
from config.settings import Settings
from metering.ingest.group_commit import GroupCommit
from metering.live.subscriptions import ChangeFeeds
from schema.errors import Unauthenticated
from schema.loaders import Loaders
from schema.loaders.rows import execute_aside
from schema.scans import Scans
from schema.secrets import SecretLookup, hash_secret, is_like_secret
from schema.updates import SharedUpdates
from waiting import shares
from waiting.outages import cut_off_is_outage, is_outage
from waiting.turns import Pace

LAST_USED_EVERY = timedelta(minutes=1)


@strawberry.enum(description="A permission of an organization's token.")
class Scope(enum.Enum):
    EVENTS_WRITE = strawberry.enum_value(
        "EVENTS_WRITE", description="Send events, and create customers."
    )
    USAGE_READ = strawberry.enum_value(
        "USAGE_READ", description="Read customers, events, meters and usage."
    )
    METERS_WRITE = strawberry.enum_value(
        "METERS_WRITE", description="Create, change and archive meters."
    )
    BILLING_READ = strawberry.enum_value(
        "BILLING_READ", description="Read products, subscriptions, credits and invoices."
    )
    BILLING_WRITE = strawberry.enum_value(
        "BILLING_WRITE",
        description="Change customers, products, subscriptions and credits, and open sessions.",
    )
    ADMIN = strawberry.enum_value(
        "ADMIN", description="Everything, including the organization's tokens."
    )


@dataclass(frozen=True)
class TokenIdentity:
    """An organization's token."""

    organization_id: UUID
    token_id: UUID
    scopes: frozenset[Scope]
    expires_at: datetime | None = None

    @property
    def counted_as(self) -> UUID:
        """Under which id limits count it."""
        return self.token_id

    @property
    def sees(self) -> Hashable:
        """What it may see: the same as whoever has the same here."""
        return self.organization_id, self.scopes

    def has(self, scope: Scope) -> bool:
        """Whether the token has the scope, which ADMIN implies."""
        return scope in self.scopes or Scope.ADMIN in self.scopes


@dataclass(frozen=True)
class SessionIdentity:
    """A customer's session: sees its own usage, nothing else."""

    organization_id: UUID
    session_id: UUID
    customer_id: UUID

    @property
    def counted_as(self) -> UUID:
        """Under which id limits count it: all sessions of a customer together."""
        return self.customer_id

    @property
    def sees(self) -> Hashable:
        """What it may see: the same as whoever has the same here."""
        return self.organization_id, self.customer_id


Identity = TokenIdentity | SessionIdentity


@dataclass(frozen=True)
class Services:
    """What resolvers need of the process that serves them."""

    settings: Settings
    commits: GroupCommit
    feeds: ChangeFeeds
    scans: Scans
    pace: Pace
    updates: SharedUpdates = field(default_factory=SharedUpdates)
    secrets: SecretLookup = field(default_factory=SecretLookup)


@dataclass
class Context:
    """What every resolver gets: who asks, and the loaders bound to their organization.

    `denied` says why there is no identity. Strawberry sets `connection_params` from the payload
    of `connection_init` before it calls the view's `on_ws_connect`.
    """

    services: Services
    caller: Identity | None = None
    denied: str = "This needs a token: send the header `Authorization: Bearer mg_…`"
    connection_params: dict[str, object] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    _loaders: Loaders | None = None

    @property
    def identity(self) -> Identity:
        """Who asks; raises Unauthenticated where nobody is known."""
        if self.caller is None:
            raise Unauthenticated(self.denied)
        return self.caller

    @property
    def organization_id(self) -> UUID:
        """The organization that everything read or written belongs to."""
        return self.identity.organization_id

    @property
    def loaders(self) -> Loaders:
        """The dataloaders, bound to the organization."""
        if self._loaders is None:
            self._loaders = Loaders(self.organization_id, self.scan_place)
        return self._loaders

    def scan_place(self) -> AbstractAsyncContextManager[None]:
        """A place among the organization's scans, for the block."""
        return self.services.scans.place(self.organization_id)

    async def turn(self, pieces: float = 1.0) -> None:
        """Waits for the organization's turn of so many pieces of work; see `waiting.turns.Pace`."""
        await self.services.pace.turn(self.organization_id, pieces)

    def forget_loaded(self) -> None:
        """Lets the next event of a subscription read anew what earlier ones have loaded."""
        self._loaders = None


Info = strawberry.Info[Context, None]


async def identify(authorization: str | None, secrets: SecretLookup) -> tuple[Identity | None, str]:
    """The identity behind an Authorization header, or None and the reason why not."""
    if not authorization:
        return None, Context.denied
    scheme, _, secret = authorization.strip().partition(" ")
    secret = secret.strip()
    if scheme.lower() != "bearer" or not secret:
        return None, "The Authorization header must be `Bearer mg_…`"
    identity = await find_identity(secret, secrets)
    return identity, "The token is unknown, revoked or expired"


def authorization_of(payload: Mapping[str, Any] | None) -> str | None:
    """The Authorization value in a `connection_init` payload, under the names in use."""
    if not payload:
        return None
    named = {key.lower(): value for key, value in payload.items() if isinstance(value, str)}
    if "authorization" in named:
        return named["authorization"]
    if "token" in named:
        return f"Bearer {named['token'].removeprefix('Bearer ')}"
    headers = payload.get("headers")
    return authorization_of(headers) if isinstance(headers, dict) else None


async def find_identity(secret: str, secrets: SecretLookup) -> Identity | None:
    """Looks a secret up among tokens and sessions; notes when a token was last used."""
    if not is_like_secret(secret):
        return None
    row = await secrets.find(hash_secret(secret))
    now = clock.now()
    if row is None or (row["expires_at"] is not None and row["expires_at"] <= now):
        return None
    shares.serve(row["organization_id"])
    if row["customer_id"] is not None:
        return SessionIdentity(row["organization_id"], row["id"], row["customer_id"])
    if row["last_used_at"] is None or now - row["last_used_at"] > LAST_USED_EVERY:
        await _note_use(row["id"], now)
    known = Scope.__members__
    scopes = frozenset(known[name] for name in row["scopes"] if name in known)
    return TokenIdentity(row["organization_id"], row["id"], scopes, row["expires_at"])


async def _note_use(token_id: UUID, now: datetime) -> None:
    """Notes when a token was used; a database that only reads, or has no room, serves it anyway."""
    try:
        with cut_off_is_outage():
            await execute_aside(
                "UPDATE access_token SET last_used_at = $2 WHERE id = $1", token_id, now
            )
    except Exception as error:
        if not is_outage(error):
            raise

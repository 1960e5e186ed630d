"""The context of a request: the caller, and loaders for the caller's organization.

Everything that a request reads is bound to `identity.organization_id`. `schema.credentials`
identifies the caller.
"""

import enum
from collections.abc import Hashable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import strawberry
from starlette.requests import HTTPConnection

from config.settings import Settings
from metering.ingest.group_commit import GroupCommit
from metering.live.subscriptions import ChangeFeeds
from schema.errors import Unauthenticated
from schema.loaders import Loaders
from schema.scans import Scans
from schema.secrets import Credential, SecretLookup
from schema.upcoming import UpcomingTotals
from schema.updates import SharedUpdates
from waiting.turns import Pace

_DENIED = "This needs a token: send the header `Authorization: Bearer mg_…`"


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
        description="Change customers, products, subscriptions and credits, void events, and open "
        "sessions.",
    )
    WEBHOOKS_READ = strawberry.enum_value(
        "WEBHOOKS_READ",
        description="Read webhook endpoints and what was sent to them: customers, subscriptions, "
        "credits, invoices and meters.",
    )
    WEBHOOKS_WRITE = strawberry.enum_value(
        "WEBHOOKS_WRITE",
        description="Create and change webhook endpoints, which are then sent all of that.",
    )
    ALERTS_READ = strawberry.enum_value(
        "ALERTS_READ", description="Read usage alerts and their triggers."
    )
    ALERTS_WRITE = strawberry.enum_value(
        "ALERTS_WRITE", description="Create, change and delete usage alerts."
    )
    AUDIT_READ = strawberry.enum_value(
        "AUDIT_READ", description="Read the audit log, with the input of every change."
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
        """Callers with equal values may see the same data."""
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
    expires_at: datetime

    @property
    def counted_as(self) -> UUID:
        """Under which id limits count it: all sessions of a customer together."""
        return self.customer_id

    @property
    def sees(self) -> Hashable:
        """Callers with equal values may see the same data."""
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
    upcoming: UpcomingTotals = field(default_factory=UpcomingTotals)


@dataclass
class Context:
    """What every resolver gets: who asks, and the loaders bound to their organization.

    `credential` is what `caller` was found by, and `origin` where the request was sent to, such as
    https://usage.example; None if its Host is malformed. `handshake` is a WebSocket's. Strawberry
    sets `connection_params` from the payload of `connection_init` before it calls the view's
    `on_ws_connect`.
    """

    services: Services
    caller: Identity | None = None
    credential: Credential | None = None
    origin: str | None = None
    handshake: HTTPConnection | None = None
    connection_params: dict[str, object] | None = None
    _loaders: Loaders | None = None

    @property
    def identity(self) -> Identity:
        """The caller. Raises Unauthenticated if there is none."""
        if self.caller is None:
            raise Unauthenticated(_DENIED)
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
        """Waits for the organization's turn to do some pieces of work; see `waiting.turns.Pace`."""
        await self.services.pace.turn(self.organization_id, pieces)

    def forget_loaded(self) -> None:
        """Drops the loaders, so that the next event of a subscription reads again."""
        self._loaders = None


Info = strawberry.Info[Context, None]

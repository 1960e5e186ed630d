"""Permissions: each field declares who may use it in the same way, so tests can walk the schema.

Every root field has exactly one `requires(...)` among its extensions, or `mutates(...)`, which is
one; so has every field of an object that shows more than the object's own row. `ACCESS` says who
may read or change an object of a type.
"""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from strawberry.extensions.field_extension import (
    AsyncExtensionResolver,
    FieldExtension,
    SyncExtensionResolver,
)

from schema.context import Context, Info, Scope, SessionIdentity
from schema.errors import Forbidden


class Requires(FieldExtension):
    """Lets a field run for tokens with one of the scopes and, if `session` is set, for sessions.

    With `and_`, a token needs that scope as well.
    """

    def __init__(
        self, scopes: tuple[Scope, ...], *, session: bool = False, and_: Scope | None = None
    ) -> None:
        self.scopes = scopes
        self.session = session
        self.and_ = and_

    def check(self, context: Context) -> None:
        """Raises Unauthenticated or Forbidden."""
        identity = context.identity
        if isinstance(identity, SessionIdentity):
            if not self.session:
                raise Forbidden("A customer's session may not use this")
            return
        if self.scopes and not any(identity.has(scope) for scope in self.scopes):
            needed = " or ".join(scope.name for scope in self.scopes)
            raise Forbidden(f"The token lacks the scope {needed}")
        if self.and_ is not None and not identity.has(self.and_):
            raise Forbidden(f"The token lacks the scope {self.and_.name}")

    def resolve(self, next_: SyncExtensionResolver, source: Any, info: Info, **kwargs: Any) -> Any:
        """Checks, then runs a synchronous field."""
        self.check(info.context)
        return next_(source, info, **kwargs)

    async def resolve_async(
        self, next_: AsyncExtensionResolver, source: Any, info: Info, **kwargs: Any
    ) -> Any:
        """Checks, then runs an asynchronous field; a subscription's iterator is passed on."""
        self.check(info.context)
        found: Any = next_(source, info, **kwargs)
        return await found if inspect.isawaitable(found) else found


def requires(*scopes: Scope, session: bool = False) -> Requires:
    """A field for tokens with any one of `scopes`; without scopes, for every token.

    With `session`, a customer's session may use it too: only for fields that show that
    customer's own data and nothing else.
    """
    return Requires(scopes, session=session)


@dataclass(frozen=True, slots=True)
class Access:
    """Who may read an object of a type by its id, and who may change all of its own row.

    A token that may change the object sees it in the answer to its mutation.
    """

    reading: Requires
    changing: Scope | None = None


_ALERTS = requires(Scope.ALERTS_READ)
_USAGE = requires(Scope.USAGE_READ)
_BILLING = requires(Scope.BILLING_READ)
_WEBHOOKS = requires(Scope.WEBHOOKS_READ)
_USAGE_OR_BILLING = requires(Scope.USAGE_READ, Scope.BILLING_READ)

ACCESS: Mapping[str, Access] = {
    "AccessToken": Access(requires(Scope.ADMIN)),
    "AlertTrigger": Access(_ALERTS),
    "AuditEntry": Access(requires(Scope.AUDIT_READ)),
    "CreditEntry": Access(_BILLING),
    "CreditGrant": Access(_BILLING),
    "CreditNote": Access(_BILLING),
    "Customer": Access(_USAGE_OR_BILLING, Scope.BILLING_WRITE),
    "CustomerMeter": Access(_USAGE),
    "CustomerSubscription": Access(_BILLING, Scope.BILLING_WRITE),
    "Event": Access(_USAGE),
    "FixedPrice": Access(_BILLING, Scope.BILLING_WRITE),
    "Invoice": Access(_BILLING),
    "Meter": Access(_USAGE_OR_BILLING, Scope.METERS_WRITE),
    "MeterCreditBenefit": Access(_BILLING, Scope.BILLING_WRITE),
    "MeteredPrice": Access(_BILLING, Scope.BILLING_WRITE),
    "Organization": Access(requires()),
    "PriceSimulation": Access(_BILLING, Scope.BILLING_WRITE),
    "Product": Access(_BILLING, Scope.BILLING_WRITE),
    "WebhookDelivery": Access(_WEBHOOKS, Scope.WEBHOOKS_WRITE),
    "WebhookEndpoint": Access(_WEBHOOKS, Scope.WEBHOOKS_WRITE),
    "UsageAlert": Access(_ALERTS, Scope.ALERTS_WRITE),
}


def may_read(context: Context, type_name: str) -> bool:
    """Whether the caller may read objects of a type."""
    try:
        ACCESS[type_name].reading.check(context)
    except Forbidden:
        return False
    return True

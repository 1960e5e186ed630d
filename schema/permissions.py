"""Who may use a field: declared at the field, in one way, so that the schema can be walked.

Every root field has exactly one `requires(...)` among its extensions; so has every field of an
object that shows more than the object's own row.
"""

import inspect
from typing import Any

from strawberry.extensions.field_extension import (
    AsyncExtensionResolver,
    FieldExtension,
    SyncExtensionResolver,
)

from schema.context import Context, Info, Scope, SessionIdentity
from schema.errors import Forbidden


class Requires(FieldExtension):
    """Lets a field run for tokens with one of the scopes, and for sessions where said."""

    def __init__(self, scopes: tuple[Scope, ...], *, session: bool) -> None:
        self.scopes = scopes
        self.session = session

    def check(self, context: Context) -> None:
        """Raises Unauthenticated or Forbidden."""
        identity = context.identity
        if isinstance(identity, SessionIdentity):
            if not self.session:
                raise Forbidden("A customer's session may not see this")
        elif self.scopes and not any(identity.has(scope) for scope in self.scopes):
            needed = " or ".join(scope.name for scope in self.scopes)
            raise Forbidden(f"The token lacks the scope {needed}")

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
    """A field for tokens with any one of `scopes` (every token, where there are none).

    With `session`, a customer's session may use it too: only for fields that show that
    customer's own data and nothing else.
    """
    return Requires(scopes, session=session)

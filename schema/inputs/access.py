"""Inputs of the mutations about access tokens."""

from datetime import datetime

import strawberry

from schema.context import Scope


@strawberry.input(description="A new token of the organization.")
class AccessTokenCreateInput:
    name: str = strawberry.field(description="What it is for: 1 to 256 characters.")
    scopes: list[Scope] = strawberry.field(description="What it may do; at least one.")
    expires_at: datetime | None = strawberry.field(
        default=None,
        description="When it stops working, and every session that it opened; never, where left "
        "out.",
    )


@strawberry.input(description="Which token to revoke.")
class AccessTokenRevokeInput:
    id: strawberry.ID = strawberry.field(description="Which token.")

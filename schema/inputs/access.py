"""Inputs of the mutations about access tokens."""

from datetime import datetime

import strawberry

from schema.context import Scope


@strawberry.input(description="A new token for the organization.")
class AccessTokenCreateInput:
    name: str = strawberry.field(
        description="A name that says what the token is for: 1 to 256 characters."
    )
    scopes: list[Scope] = strawberry.field(description="The token's permissions, at least one.")
    expires_at: datetime | None = strawberry.field(
        default=None,
        description="When the token and every session that it opened expire. By default, never.",
    )


@strawberry.input(description="The token to revoke.")
class AccessTokenRevokeInput:
    id: strawberry.ID = strawberry.field(description="The token's id.")

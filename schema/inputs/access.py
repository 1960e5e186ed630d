"""Inputs of the mutations about access tokens."""

import strawberry

from schema.context import Scope


@strawberry.input(description="A new token of the organization.")
class AccessTokenCreateInput:
    """A new token."""

    name: str = strawberry.field(description="What it is for: 1 to 256 characters.")
    scopes: list[Scope] = strawberry.field(description="What it may do; at least one.")


@strawberry.input(description="Which token to revoke.")
class AccessTokenRevokeInput:
    """Which token."""

    id: strawberry.ID = strawberry.field(description="Which token.")

"""Me: the caller, and what it may do."""

import strawberry

from schema.context import Scope
from schema.types.customer import Customer
from schema.types.organization import AccessToken, Organization


@strawberry.type(
    description="The caller: an organization's token, a customer's session, or a browser that "
    "is signed in with one of them."
)
class Me:
    organization: Organization = strawberry.field(
        description="The organization whose data the caller sees."
    )
    access_token: AccessToken | None = strawberry.field(
        description="The token. Null for a customer's session."
    )
    customer: Customer | None = strawberry.field(
        description="The customer of a customer's session. Null for a token."
    )
    scopes: list[Scope] = strawberry.field(
        description="The token's permissions, as they were granted; ADMIN includes all others. "
        "Empty for a customer's session, which sees only its own usage and charges."
    )

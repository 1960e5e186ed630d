"""Me: who asks, and what they may do."""

import strawberry

from schema.context import Scope
from schema.types.customer import Customer
from schema.types.organization import AccessToken, Organization


@strawberry.type(
    description="Who asks: an organization's token, a customer's session, or a browser that is "
    "signed in with one of them."
)
class Me:
    organization: Organization = strawberry.field(description="Whose data this is.")
    access_token: AccessToken | None = strawberry.field(
        description="The token; null for a customer's session."
    )
    customer: Customer | None = strawberry.field(
        description="The customer of a customer's session; null for a token."
    )
    scopes: list[Scope] = strawberry.field(
        description="What the token may do, as it was created: ADMIN includes all others. Empty "
        "for a customer's session, which sees its own usage and charges."
    )

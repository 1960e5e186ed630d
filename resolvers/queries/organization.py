"""Query fields about who asks: organization and viewer."""

import strawberry

from models import Organization as OrganizationRow
from schema.context import Info, SessionIdentity
from schema.permissions import requires
from schema.types.customer import Customer
from schema.types.organization import Organization


@strawberry.type
class OrganizationQuery:
    @strawberry.field(description="The organization of the token.", extensions=[requires()])
    async def organization(self, info: Info) -> Organization:
        return Organization.of(await OrganizationRow.get(id=info.context.organization_id))

    @strawberry.field(
        description="The customer of a customer session; null for an organization's token.",
        extensions=[requires(session=True)],
    )
    async def viewer(self, info: Info) -> Customer | None:
        identity = info.context.identity
        if not isinstance(identity, SessionIdentity):
            return None
        return Customer.of(await info.context.loaders.existing_customer(identity.customer_id))

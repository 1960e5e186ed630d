"""Query fields about the caller: me, organization and viewer."""

import strawberry

from models import AccessToken as AccessTokenRow
from models import Customer as CustomerRow
from models import Organization as OrganizationRow
from schema.context import Info, SessionIdentity
from schema.permissions import requires
from schema.types.customer import Customer
from schema.types.me import Me
from schema.types.organization import AccessToken, Organization


@strawberry.type
class OrganizationQuery:
    @strawberry.field(
        description="The caller, and its permissions.", extensions=[requires(session=True)]
    )
    async def me(self, info: Info) -> Me:
        context, identity = info.context, info.context.identity
        organization = Organization.of(await OrganizationRow.get(id=identity.organization_id))
        if isinstance(identity, SessionIdentity):
            customer = await context.loaders.existing(CustomerRow, identity.customer_id)
            return Me(
                organization=organization,
                access_token=None,
                customer=Customer.of(customer),
                scopes=[],
            )
        token = AccessToken.of(await AccessTokenRow.get(id=identity.token_id))
        return Me(organization=organization, access_token=token, customer=None, scopes=token.scopes)

    @strawberry.field(description="The caller's organization.", extensions=[requires()])
    async def organization(self, info: Info) -> Organization:
        return Organization.of(await OrganizationRow.get(id=info.context.organization_id))

    @strawberry.field(
        description="The customer of a customer's session. Null for an organization's token.",
        extensions=[requires(session=True)],
    )
    async def viewer(self, info: Info) -> Customer | None:
        identity = info.context.identity
        if not isinstance(identity, SessionIdentity):
            return None
        return Customer.of(await info.context.loaders.existing(CustomerRow, identity.customer_id))

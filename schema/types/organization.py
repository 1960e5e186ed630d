"""Organization and AccessToken: the tenant, and the keys to it."""

from datetime import datetime

import strawberry

from models import AccessToken as AccessTokenRow
from models import Organization as OrganizationRow
from schema.context import Info, Scope
from schema.ids import Node, encode_id
from schema.permissions import requires


@strawberry.type(
    description="A secret that lets a program act for the organization, within its scopes."
)
class AccessToken(Node):
    name: str = strawberry.field(description="What it is for, as its maker put it.")
    scopes: list[Scope] = strawberry.field(description="What it may do.")
    created_at: datetime = strawberry.field(description="When it was created.")
    last_used_at: datetime | None = strawberry.field(
        description="When it was last used, to the minute; null if never."
    )
    revoked_at: datetime | None = strawberry.field(
        description="When it was revoked; null if it was not."
    )
    expires_at: datetime | None = strawberry.field(
        description="When it stops working by itself; null if it does not."
    )

    @classmethod
    def of(cls, row: AccessTokenRow) -> "AccessToken":
        return cls(
            id=encode_id("AccessToken", row.id),
            name=row.name,
            scopes=[Scope[name] for name in row.scopes if name in Scope.__members__],
            created_at=row.created_at,
            last_used_at=row.last_used_at,
            revoked_at=row.revoked_at,
            expires_at=row.expires_at,
        )


@strawberry.type(description="Whose events, meters and customers these are: the tenant.")
class Organization(Node):
    name: str = strawberry.field(description="What people call it.")
    slug: str = strawberry.field(description="Its short name on the command line, unique.")
    display_name: str = strawberry.field(
        description="What its customers call it; `name`, where none was set."
    )
    timezone: str = strawberry.field(
        description="The IANA time zone in which its people read usage. Nothing is computed in it "
        "unless a query passes it as `timezone`."
    )
    address: str | None = strawberry.field(description="Its address, for invoices.")
    logo_url: str | None = strawberry.field(
        description="The https address of its logo, for invoices and the portal."
    )

    @strawberry.field(
        description="Its tokens, newest first, revoked ones included. Needs the scope ADMIN.",
        extensions=[requires(Scope.ADMIN)],
    )
    async def access_tokens(self, info: Info) -> list[AccessToken]:
        rows = await AccessTokenRow.filter(organization_id=info.context.organization_id).order_by(
            "-id"
        )
        return [AccessToken.of(row) for row in rows]

    @classmethod
    def of(cls, row: OrganizationRow) -> "Organization":
        return cls(
            id=encode_id("Organization", row.id),
            name=row.name,
            slug=row.slug,
            display_name=row.display_name or row.name,
            timezone=row.timezone,
            address=row.address,
            logo_url=row.logo_url,
        )

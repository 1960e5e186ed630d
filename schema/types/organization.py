"""Organization and AccessToken: the tenant and its tokens."""

from datetime import datetime

import strawberry
from tortoise.connection import get_connection

from metering.archive.boundary import events_from
from models import AccessToken as AccessTokenRow
from models import Organization as OrganizationRow
from schema.context import Info, Scope
from schema.ids import Node, encode_id
from schema.permissions import requires


@strawberry.type(
    description="A token with which a program acts for the organization, within its scopes."
)
class AccessToken(Node):
    name: str = strawberry.field(description="A name that says what the token is for.")
    scopes: list[Scope] = strawberry.field(description="The token's permissions.")
    created_at: datetime = strawberry.field(description="When it was created.")
    last_used_at: datetime | None = strawberry.field(
        description="When it was last used, to the minute. Null if it was never used."
    )
    revoked_at: datetime | None = strawberry.field(
        description="When it was revoked. Null if it was not."
    )
    expires_at: datetime | None = strawberry.field(
        description="When it expires. Null if it never does."
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


@strawberry.type(description="The organization that owns events, meters and customers: a tenant.")
class Organization(Node):
    name: str = strawberry.field(description="The name.")
    slug: str = strawberry.field(
        description="The organization's unique short name, for the command line."
    )
    display_name: str = strawberry.field(
        description="The name that customers see. It is `name` unless it was set."
    )
    timezone: str = strawberry.field(
        description="The IANA time zone in which the organization's people read usage. It "
        "affects no numbers unless a query passes it as `timezone`."
    )
    address: str | None = strawberry.field(description="The address, for invoices.")
    logo_url: str | None = strawberry.field(
        description="The https URL of the logo, for invoices and the portal."
    )
    invoice_grace_hours: int = strawberry.field(
        description="For how many hours after the end of its period an invoice is a DRAFT. 0 if "
        "invoices are issued at once."
    )
    payment_term_days: int | None = strawberry.field(
        description="Within how many days an invoice is to be paid. Null if invoices do not say."
    )

    @strawberry.field(
        description="Events from before this instant are archived: they are not listed, and no "
        "more of them are stored. Usage from before stays, in whole quarter hours, and by "
        "dimension in whole hours. Null if no events are archived."
    )
    async def events_from(self) -> datetime | None:
        return await events_from(get_connection("default"))

    @strawberry.field(
        description="The organization's tokens, newest first, including revoked ones. Needs the "
        "scope ADMIN.",
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
            invoice_grace_hours=row.invoice_grace_hours,
            payment_term_days=row.payment_term_days,
        )

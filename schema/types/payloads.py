"""The payloads of mutations: an object, or the errors that prevented it."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import strawberry

from schema.errors import UserError
from schema.types.customer import Customer
from schema.types.customer_meter import CustomerMeter
from schema.types.meter import Meter
from schema.types.organization import AccessToken, Organization

_USER_ERRORS = "What was wrong with the input; empty where the mutation was carried out."


def user_errors() -> Any:
    """The field `userErrors`, which every payload has."""
    return strawberry.field(default_factory=list, description=_USER_ERRORS)


@strawberry.type(description="The new customer, or why there is none.")
class CustomerCreatePayload:
    customer: Customer | None = strawberry.field(default=None, description="The customer.")
    user_errors: list[UserError] = user_errors()


@strawberry.type(description="The changed customer, or why it was not changed.")
class CustomerUpdatePayload:
    customer: Customer | None = strawberry.field(default=None, description="The customer.")
    user_errors: list[UserError] = user_errors()


@strawberry.type(description="The new session, or why there is none.")
class CustomerSessionCreatePayload:
    token: str | None = strawberry.field(
        default=None,
        description="The bearer token to hand to the customer's browser; shown this once.",
    )
    expires_at: datetime | None = strawberry.field(
        default=None, description="The token is good until then."
    )
    customer: Customer | None = strawberry.field(default=None, description="Whose session it is.")
    user_errors: list[UserError] = user_errors()


@strawberry.type(description="How many sessions were ended, or why none.")
class CustomerSessionRevokePayload:
    revoked: int = strawberry.field(
        default=0, description="How many sessions were open and are ended."
    )
    user_errors: list[UserError] = user_errors()


@strawberry.type(description="The new meter, or why there is none.")
class MeterCreatePayload:
    meter: Meter | None = strawberry.field(default=None, description="The meter.")
    user_errors: list[UserError] = user_errors()


@strawberry.type(description="The changed meter, or why it was not changed.")
class MeterUpdatePayload:
    meter: Meter | None = strawberry.field(default=None, description="The meter.")
    user_errors: list[UserError] = user_errors()


@strawberry.type(description="The archived meter, or why it was not archived.")
class MeterArchivePayload:
    meter: Meter | None = strawberry.field(default=None, description="The meter.")
    user_errors: list[UserError] = user_errors()


@strawberry.type(description="The meter that counts again, or why it does not.")
class MeterUnarchivePayload:
    meter: Meter | None = strawberry.field(default=None, description="The meter.")
    user_errors: list[UserError] = user_errors()


@strawberry.type(description="The recomputed usage, and how far the cached usage was off.")
class CustomerMeterRecomputePayload:
    customer_meter: CustomerMeter | None = strawberry.field(
        default=None, description="The usage, repaired where it was off."
    )
    drift: Decimal | None = strawberry.field(
        default=None,
        description="Recomputed minus cached consumption, in the meter's units: zero, or there is "
        "a bug.",
    )
    user_errors: list[UserError] = user_errors()


@strawberry.type(description="The new token and its secret, or why there is none.")
class AccessTokenCreatePayload:
    access_token: AccessToken | None = strawberry.field(default=None, description="The token.")
    secret: str | None = strawberry.field(
        default=None, description="What to send as bearer token. `secret` is shown this once."
    )
    user_errors: list[UserError] = user_errors()


@strawberry.type(description="The revoked token, or why it was not revoked.")
class AccessTokenRevokePayload:
    access_token: AccessToken | None = strawberry.field(default=None, description="The token.")
    user_errors: list[UserError] = user_errors()


@strawberry.type(description="The changed organization, or why it was not changed.")
class OrganizationUpdatePayload:
    organization: Organization | None = strawberry.field(
        default=None, description="The organization."
    )
    user_errors: list[UserError] = user_errors()

"""The payloads of mutations: an object, or the errors that prevented it."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import strawberry

from schema.audit_log.entries import AuditedObject
from schema.errors import UserError, user_errors
from schema.types.customer import Customer
from schema.types.customer_meter import CustomerMeter
from schema.types.meter import Meter
from schema.types.organization import AccessToken, Organization


@strawberry.type(description="The new customer, or the reason why it was not created.")
class CustomerCreatePayload:
    customer: Customer | None = strawberry.field(default=None, description="The customer.")
    user_errors: list[UserError] = user_errors()


@strawberry.type(description="The changed customer, or the reason why it was not changed.")
class CustomerUpdatePayload:
    customer: Customer | None = strawberry.field(default=None, description="The customer.")
    user_errors: list[UserError] = user_errors()


@strawberry.type(description="The erased customer, or the reason why it was not erased.")
class CustomerErasePayload:
    customer: Customer | None = strawberry.field(
        default=None, description="The customer, without all that named it."
    )
    user_errors: list[UserError] = user_errors()


@strawberry.type(description="How many events were voided, or the reason why none was.")
class EventsVoidPayload:
    voided: int = strawberry.field(default=0, description="The number of events that were voided.")
    already_voided: int = strawberry.field(
        default=0, description="The number of events that had been voided before."
    )
    not_found: int = strawberry.field(
        default=0, description="The number of ids and external ids that no event has."
    )
    not_found_ids: list[strawberry.ID] = strawberry.field(
        default_factory=list,
        description="The ids that no event has: each once, in the order of the input.",
    )
    not_found_external_ids: list[str] = strawberry.field(
        default_factory=list,
        description="The external ids that no event has: each once, in the order of the input.",
    )
    audited: strawberry.Private[Sequence[AuditedObject]] = ()
    user_errors: list[UserError] = user_errors()


@strawberry.type(description="The new session, or the reason why it was not opened.")
class CustomerSessionCreatePayload:
    token: str | None = strawberry.field(
        default=None,
        description="The bearer token for the customer's browser. It is shown only once.",
    )
    expires_at: datetime | None = strawberry.field(
        default=None, description="When the token expires."
    )
    customer: Customer | None = strawberry.field(
        default=None, description="The customer whose session it is."
    )
    portal_url: str | None = strawberry.field(
        default=None,
        description="A link that signs the customer in to the portal. It can be opened any "
        "number of times until the token expires, by anyone who has it.",
    )
    user_errors: list[UserError] = user_errors()


@strawberry.type(description="The number of sessions that were ended, or the reason why none was.")
class CustomerSessionRevokePayload:
    revoked: int = strawberry.field(
        default=0, description="The number of open sessions that were ended."
    )
    customer: Customer | None = strawberry.field(
        default=None,
        description="The customer whose sessions were ended. Null if the token is unknown.",
    )
    user_errors: list[UserError] = user_errors()


@strawberry.type(description="The new meter, or the reason why it was not created.")
class MeterCreatePayload:
    meter: Meter | None = strawberry.field(default=None, description="The meter.")
    user_errors: list[UserError] = user_errors()


@strawberry.type(description="The changed meter, or the reason why it was not changed.")
class MeterUpdatePayload:
    meter: Meter | None = strawberry.field(default=None, description="The meter.")
    user_errors: list[UserError] = user_errors()


@strawberry.type(description="The archived meter, or the reason why it was not archived.")
class MeterArchivePayload:
    meter: Meter | None = strawberry.field(default=None, description="The meter.")
    user_errors: list[UserError] = user_errors()


@strawberry.type(description="The unarchived meter, or the reason why it was not unarchived.")
class MeterUnarchivePayload:
    meter: Meter | None = strawberry.field(default=None, description="The meter.")
    user_errors: list[UserError] = user_errors()


@strawberry.type(description="The recomputed usage, and its difference from the cached usage.")
class CustomerMeterRecomputePayload:
    customer_meter: CustomerMeter | None = strawberry.field(
        default=None, description="The usage, corrected if it was wrong."
    )
    drift: Decimal | None = strawberry.field(
        default=None,
        description="Recomputed minus cached usage, in the meter's units. Anything but zero is "
        "a bug.",
    )
    user_errors: list[UserError] = user_errors()


@strawberry.type(description="The new token and its secret, or the reason why it was not created.")
class AccessTokenCreatePayload:
    access_token: AccessToken | None = strawberry.field(default=None, description="The token.")
    secret: str | None = strawberry.field(
        default=None, description="The secret to send as bearer token. It is shown only once."
    )
    user_errors: list[UserError] = user_errors()


@strawberry.type(description="The revoked token, or the reason why it was not revoked.")
class AccessTokenRevokePayload:
    access_token: AccessToken | None = strawberry.field(default=None, description="The token.")
    user_errors: list[UserError] = user_errors()


@strawberry.type(description="The changed organization, or the reason why it was not changed.")
class OrganizationUpdatePayload:
    organization: Organization | None = strawberry.field(
        default=None, description="The organization."
    )
    user_errors: list[UserError] = user_errors()

"""The query field usageCheck."""

from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

import strawberry

from billing.subscriptions.usage_check import check_usage
from metering.ingest.customers import is_external_id
from schema.context import Context, Info, Scope, SessionIdentity
from schema.customers import CustomerId, ExternalCustomerId
from schema.errors import BadUserInput, NotFound
from schema.ids import NO_KEY, decode_id
from schema.permissions import requires
from schema.types.usage_check import UsageCheck


@strawberry.type
class UsageCheckQuery:
    @strawberry.field(
        description="Whether a customer may use `units` more on a meter: whether credit of that "
        "much remains, or an active subscription has a metered price on the meter. Name the "
        "customer by exactly one of its ids. A customer's session may name only itself, and need "
        "not.",
        extensions=[requires(Scope.USAGE_READ, session=True)],
    )
    async def usage_check(
        self,
        info: Info,
        meter_id: Annotated[strawberry.ID, strawberry.argument(description="The meter's id.")],
        customer_id: CustomerId = None,
        external_customer_id: ExternalCustomerId = None,
        units: Annotated[
            Decimal,
            strawberry.argument(
                description="By how much usage would grow, in the meter's units. Not negative."
            ),
        ] = Decimal(1),
    ) -> UsageCheck:
        if units < 0:
            raise BadUserInput("`units` must not be negative", path=["units"])
        key, customer = _named(info.context, customer_id, external_customer_id)
        meter_key = decode_id(meter_id, "Meter") or NO_KEY
        found = await check_usage(info.context.organization_id, meter_key, key, customer)
        own = _own(info.context)
        if found.customer_id is None or own not in (None, found.customer_id):
            name = "customerId" if external_customer_id is None else "externalCustomerId"
            raise NotFound(f"There is no customer with this {name}", path=[name])
        if found.meter_id is None:
            raise NotFound("There is no meter with this meterId", path=["meterId"])
        return UsageCheck(
            position=found.position,
            allowed=found.allows(units),
            balance=found.balance,
            has_metered_price=found.has_metered_price,
        )


def _own(context: Context) -> UUID | None:
    """The customer of a customer's session; None for a token."""
    identity = context.identity
    return identity.customer_id if isinstance(identity, SessionIdentity) else None


def _named(
    context: Context, customer_id: str | None, external_id: str | None
) -> tuple[Literal["id", "external_id"], UUID | str]:
    """Returns the customer's key that is given; a session's own if none is.

    Raises BadUserInput if both are given, or a token gives none.
    """
    if customer_id is None and external_id is None:
        own = _own(context)
        if own is not None:
            return "id", own
    if (customer_id is None) == (external_id is None):
        raise BadUserInput("Give exactly one of `customerId` and `externalCustomerId`")
    if external_id is not None:
        return ("external_id", external_id) if is_external_id(external_id) else ("id", NO_KEY)
    return "id", decode_id(customer_id or "", "Customer") or NO_KEY

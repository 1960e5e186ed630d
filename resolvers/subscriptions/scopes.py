"""Whom a subscription is about, from its arguments: ids become rows of the organization."""

from uuid import UUID

from metering.customers import find_customer
from models import Meter
from schema.context import Context, SessionIdentity
from schema.errors import BadUserInput, NotFound
from schema.ids import decode_id


async def customer_of(
    context: Context, customer_id: str | None, external_customer_id: str | None
) -> UUID | None:
    """The customer that the arguments name; None where they name none.

    A session names its own customer, whether it says so or not. Raises BadUserInput, NotFound.
    """
    if customer_id is not None and external_customer_id is not None:
        raise BadUserInput("Give at most one of customerId and externalCustomerId")
    own = context.identity.customer_id if isinstance(context.identity, SessionIdentity) else None
    if customer_id is None and external_customer_id is None:
        return own
    key = None if customer_id is None else decode_id(customer_id, "Customer")
    found = None
    if key is not None or external_customer_id is not None:
        found = await find_customer(context.organization_id, key, external_customer_id)
    if found is None or own not in (None, found):
        name = "externalCustomerId" if customer_id is None else "customerId"
        raise NotFound(f"There is no customer with this {name}")
    return found


async def meter_of(context: Context, meter_id: str | None) -> UUID | None:
    """The meter that the argument names; None where it names none. Raises NotFound."""
    if meter_id is None:
        return None
    key = decode_id(meter_id, "Meter")
    if key is None or not await Meter.exists(id=key, organization_id=context.organization_id):
        raise NotFound("There is no meter with this meterId")
    return key

"""Finds the customer that a field's arguments name, and checks what a session may ask for."""

from typing import Annotated
from uuid import UUID

import strawberry

from models import Customer as CustomerRow
from schema.context import Context, SessionIdentity
from schema.errors import BadUserInput, NotFound
from schema.ids import NO_KEY, decode_id
from schema.loaders.customers import customer_by_external_id

CustomerId = Annotated[
    strawberry.ID | None, strawberry.argument(description="The customer's id in Metergraph.")
]
ExternalCustomerId = Annotated[
    str | None, strawberry.argument(description="Your own id for the customer.")
]


async def find_customer(
    context: Context, customer_id: str | None, external_id: str | None
) -> CustomerRow | None:
    """Returns the customer that one of the two ids names; None if there is none."""
    if customer_id is not None:
        key = decode_id(customer_id, "Customer")
        return await context.loaders.by_id(CustomerRow).load(key) if key else None
    if external_id is not None:
        return await customer_by_external_id(context.organization_id, external_id)
    return None


async def customer_to_list(
    context: Context, customer_id: str | None, external_id: str | None
) -> UUID | None:
    """Returns the customer that a list is limited to: NO_KEY if unknown, None if none is named.

    Raises BadUserInput if both ids are given.
    """
    if customer_id is None and external_id is None:
        return None
    _check_one(customer_id, external_id)
    row = await find_customer(context, customer_id, external_id)
    return row.id if row else NO_KEY


async def customer_asked_for(
    context: Context, customer_id: str | None, external_id: str | None
) -> UUID | None:
    """Returns the customer whose usage is requested; None for all customers.

    A session always asks for its own customer, named or not. Raises BadUserInput if both ids are
    given, and NotFound if there is no such customer or it is not the session's.
    """
    _check_one(customer_id, external_id)
    named = customer_id is not None or external_id is not None
    row = await find_customer(context, customer_id, external_id) if named else None
    identity = context.identity
    own = identity.customer_id if isinstance(identity, SessionIdentity) else None
    if named and (row is None or own not in (None, row.id)):
        name = "externalCustomerId" if customer_id is None else "customerId"
        raise NotFound(f"There is no customer with this {name}")
    return row.id if row else own


def _check_one(customer_id: str | None, external_id: str | None) -> None:
    if customer_id is not None and external_id is not None:
        raise BadUserInput("Give `customerId` or `externalCustomerId`, not both")

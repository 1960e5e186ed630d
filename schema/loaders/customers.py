"""Reads customers."""

from uuid import UUID

from metering.ingest.customers import is_external_id
from models import Customer, CustomerErasure
from schema.loaders.sources import SQLSource
from schema.loaders.tables import has_text, rows_source


def customers_source(
    organization_id: UUID, text: str | None = None, *, newest_first: bool = False
) -> SQLSource[Customer]:
    """The organization's customers whose external id, name or email contains a text."""
    found = has_text(("external_id", "name", "email"), text)
    return rows_source(Customer, organization_id, *found, newest_first=newest_first)


async def customer_by_external_id(organization_id: UUID, external_id: str) -> Customer | None:
    """The customer with this external id."""
    if not is_external_id(external_id):
        return None
    return await Customer.get_or_none(organization_id=organization_id, external_id=external_id)


async def erasures_of(
    organization_id: UUID, customer_ids: list[UUID]
) -> list[CustomerErasure | None]:
    """How far erasing each customer is; None if it was not erased."""
    rows = await CustomerErasure.filter(
        organization_id=organization_id, customer_id__in=customer_ids
    )
    found = {row.customer_id: row for row in rows}
    return [found.get(customer_id) for customer_id in customer_ids]

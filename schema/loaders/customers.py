"""Reads customers."""

from uuid import UUID

from metering.ingest.customers import is_external_id
from models import Customer
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

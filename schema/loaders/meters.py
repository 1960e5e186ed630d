"""Reading meters, and customers' current usage of them."""

from uuid import UUID

from metering.counting.progress import Progress, progress
from models import CustomerMeter, Meter
from schema.loaders.sources import SQLSource
from schema.loaders.tables import equal, has_text, rows_source, unarchived


def meters_source(
    organization_id: UUID, text: str | None = None, *, include_archived: bool
) -> SQLSource[Meter]:
    """The organization's meters: those that have a text in their name."""
    found = has_text(("name",), text)
    return rows_source(Meter, organization_id, *unarchived(include_archived), *found)


async def progress_by_meter(organization_id: UUID, meters: list[Meter]) -> list[Progress]:
    """How far each meter has counted."""
    return await progress(organization_id, meters)


def customer_meters_of_customer(
    organization_id: UUID, customer_id: UUID
) -> SQLSource[CustomerMeter]:
    """A customer's usage, meter by meter."""
    return rows_source(CustomerMeter, organization_id, equal("customer_id", customer_id))


def customer_meters_of_meter(organization_id: UUID, meter_id: UUID) -> SQLSource[CustomerMeter]:
    """The usage of a meter, customer by customer."""
    return rows_source(CustomerMeter, organization_id, equal("meter_id", meter_id))


async def customer_meters_of(
    organization_id: UUID, pairs: list[tuple[UUID, UUID]]
) -> list[CustomerMeter | None]:
    """The usage of each (customer, meter), None where there is none."""
    rows = await CustomerMeter.filter(
        organization_id=organization_id,
        customer_id__in={customer_id for customer_id, _ in pairs},
        meter_id__in={meter_id for _, meter_id in pairs},
    )
    found = {(row.customer_id, row.meter_id): row for row in rows}
    return [found.get(pair) for pair in pairs]

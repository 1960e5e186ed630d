"""Reads meters, and customers' current usage of them."""

from collections.abc import Collection
from dataclasses import replace
from uuid import UUID

from tortoise.expressions import Subquery

from metering.counting.progress import Progress, counted_position_sql, progress, with_position
from models import CustomerMeter, Meter
from schema.loaders.rows import Record
from schema.loaders.sources import SQLSource, model_of
from schema.loaders.tables import Where, equal, has_text, rows_source, unarchived


def meters_source(
    organization_id: UUID, text: str | None = None, *, include_archived: bool
) -> SQLSource[Meter]:
    """The organization's meters whose names contain a text."""
    found = has_text(("name",), text)
    return rows_source(Meter, organization_id, *unarchived(include_archived), *found)


async def progress_by_meter(organization_id: UUID, meters: list[Meter]) -> list[Progress]:
    """How far each meter has counted."""
    return await progress(organization_id, meters)


def customer_meters_of_customer(
    organization_id: UUID, customer_id: UUID
) -> SQLSource[CustomerMeter]:
    """A customer's usage, meter by meter."""
    return _customer_meters(organization_id, equal("customer_id", customer_id))


def customer_meters_of_meter(organization_id: UUID, meter_id: UUID) -> SQLSource[CustomerMeter]:
    """The usage of a meter, customer by customer."""
    return _customer_meters(organization_id, equal("meter_id", meter_id))


def _customer_meters(organization_id: UUID, *conditions: Where) -> SQLSource[CustomerMeter]:
    make = model_of(CustomerMeter)

    def positioned(record: Record) -> CustomerMeter:
        row = make(record)
        row.counted_position = record["counted_position"]
        return row

    return replace(
        rows_source(CustomerMeter, organization_id, *conditions),
        columns=f"customer_meter.*, {counted_position_sql('$1')} AS counted_position",
        make=positioned,
    )


async def customer_meters_of(
    organization_id: UUID, pairs: list[tuple[UUID, UUID]]
) -> list[CustomerMeter | None]:
    """The usage of each (customer, meter); None if there is none."""
    rows = await with_position(
        CustomerMeter.filter(
            organization_id=organization_id,
            customer_id__in={customer_id for customer_id, _ in pairs},
            meter_id__in={meter_id for _, meter_id in pairs},
        ),
        organization_id,
    )
    found = {(row.customer_id, row.meter_id): row for row in rows}
    return [found.get(pair) for pair in pairs]


async def meters_of_customer(
    organization_id: UUID, customer_id: UUID, keys: Collection[UUID | None] | None
) -> list[Meter]:
    """The meters on which a customer has usage, oldest first: all of them, or those in `keys`."""
    rows = CustomerMeter.filter(organization_id=organization_id, customer_id=customer_id)
    meters = Meter.filter(organization_id=organization_id, id__in=Subquery(rows.values("meter_id")))
    if keys is not None:
        meters = meters.filter(id__in=[key for key in keys if key])
    return await meters.order_by("id")

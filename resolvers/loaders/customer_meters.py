"""Reading customers' current usage of meters."""

from uuid import UUID

from metering.parameters import Parameters
from models import CustomerMeter
from resolvers.loaders.keyset import Keyset, uuid_key
from resolvers.loaders.sources import SQLSource, model_of

ORDER = Keyset((uuid_key(),))


def _source(organization_id: UUID, column: str, key: UUID) -> SQLSource[CustomerMeter]:
    def conditions(parameters: Parameters) -> list[str]:
        return [
            f"cm.organization_id = {parameters.add(organization_id, 'uuid')}",
            f"cm.{column} = {parameters.add(key, 'uuid')}",
        ]

    return SQLSource(
        columns="cm.*",
        table="customer_meter",
        conditions=conditions,
        alias="cm",
        keyset=ORDER,
        make=model_of(CustomerMeter),
    )


def customer_meters_of_customer(
    organization_id: UUID, customer_id: UUID
) -> SQLSource[CustomerMeter]:
    """A customer's usage, meter by meter."""
    return _source(organization_id, "customer_id", customer_id)


def customer_meters_of_meter(organization_id: UUID, meter_id: UUID) -> SQLSource[CustomerMeter]:
    """The usage of a meter, customer by customer."""
    return _source(organization_id, "meter_id", meter_id)


async def customer_meters_by_id(
    organization_id: UUID, ids: list[UUID]
) -> list[CustomerMeter | None]:
    """The rows with these ids, None for each that the organization does not have."""
    rows = await CustomerMeter.filter(organization_id=organization_id, id__in=set(ids))
    found = {row.id: row for row in rows}
    return [found.get(key) for key in ids]


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

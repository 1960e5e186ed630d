"""Reads the usage of every customer on a meter, interval by interval."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from tortoise.connection import get_connection

from metering.language.definition import definition_of
from metering.usage.ranges import usage
from metering.usage.windows import Window
from models import Meter

_CUSTOMERS = 500


@dataclass(frozen=True, slots=True)
class CustomerUsage:
    """The usage of a customer in a window, from at least one event or a carried value."""

    customer_id: UUID
    customer_external_id: str | None
    window: Window
    quantity: Decimal | None
    events: int


async def read_usage_of_customers(
    meter: Meter, windows: Sequence[Window]
) -> AsyncIterator[list[CustomerUsage]]:
    """Yields the usage of one customer after the other, by customer id."""
    definition = definition_of(meter)
    connection = get_connection("default")
    async for customer_id, external_id in _customers(meter):
        used = await usage(connection, definition, windows, customer_id)
        rows = [
            CustomerUsage(customer_id, external_id, window, point.quantity, point.counted)
            for window, point in zip(windows, used.points, strict=True)
            if point.counted or (definition.aggregation.lasts() and point.quantity)
        ]
        if rows:
            yield rows


async def _customers(meter: Meter) -> AsyncIterator[tuple[UUID, str | None]]:
    """Yields the customers that the meter has counted for, by id."""
    after: UUID | None = None
    while True:
        rows = await get_connection("default").execute_query_dict(
            """
            SELECT used.customer_id AS id, customer.external_id
            FROM customer_meter AS used
            JOIN customer ON customer.organization_id = $1 AND customer.id = used.customer_id
            WHERE used.organization_id = $1 AND used.meter_id = $2
              AND ($3::uuid IS NULL OR used.customer_id > $3::uuid)
            ORDER BY used.customer_id LIMIT $4
            """,
            [meter.organization_id, meter.id, after, _CUSTOMERS],
        )
        for row in rows:
            yield row["id"], row["external_id"]
        if len(rows) < _CUSTOMERS:
            return
        after = rows[-1]["id"]

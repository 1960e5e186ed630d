"""Usage that `topCustomers` keeps: events counted for it, and what it then says."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from metering.language.aggregations import Aggregation, AggregationFunction
from metering.language.definition import MeterDefinition
from metering.usage.top_customers import top_customers
from metering.usage.windows import Window
from models import Meter, UsageRange
from models.identifiers import new_id
from tests.ingesting import definition_of, drain
from tests.metering.stored import event_of, store
from tests.metering.test_top_customers import CUSTOMERS
from tests.reference.strategies import START

COUNT = Aggregation(AggregationFunction.COUNT)
WINDOW = Window(START, START + timedelta(days=30))


def calls(customer: UUID, count: int, at: timedelta = timedelta(hours=1)) -> list[dict[str, Any]]:
    return [
        event_of(customer, id_=new_id(), name="x", timestamp=START + at, metadata={})
        for _ in range(count)
    ]


async def count_more(database: BaseDBAsyncClient, organization_id: UUID, *counts: int) -> None:
    """Stores and counts so many events of the first, the second, … customer."""
    for customer, count in zip(CUSTOMERS, counts, strict=False):
        if count:
            await store(database, organization_id, calls(customer, count))
    await drain(organization_id)


async def quantities(database: BaseDBAsyncClient, meter: MeterDefinition | Meter) -> list[int]:
    """The quantities of the first, the second, … customer, as far as they have any."""
    defined = await definition_of(meter) if isinstance(meter, Meter) else meter
    found = await top_customers(database, defined, WINDOW, 10)
    by_customer = {one.customer_id: int(one.quantity or 0) for one in found}
    return [by_customer[customer] for customer in CUSTOMERS if customer in by_customer]


async def positions(meter: Meter | MeterDefinition) -> list[int]:
    """The positions of the meter's kept ranges."""
    rows = await UsageRange.filter(meter_id=meter.id).values("position")
    return [row["position"] for row in rows]

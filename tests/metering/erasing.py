"""Customers that are erased without the API, and all that meters say of them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.transactions import in_transaction

from billing.erasing import erase_customer
from metering.erasing.events import Step, erase_span
from metering.language.definition import MeterDefinition
from metering.usage.customer_periods import CustomerPeriod
from metering.usage.grouping import Grouping
from metering.usage.groups import grouped_usage
from metering.usage.periods import usage_of_periods
from metering.usage.ranges import usage
from metering.usage.top_customers import top_customers
from metering.usage.windows import Window
from models import CustomerErasure, CustomerMeter, EventLog
from tests.ingesting import drain

LEFT = """
SELECT count(*) AS events FROM event
WHERE organization_id = $1 AND customer_id = $2
  AND metadata <> '{}' AND jsonb_typeof(metadata) = 'object'
"""


async def begin_erasing(organization_id: UUID, customer_id: UUID) -> None:
    """Does what the mutation does, but for the audit log."""
    async with in_transaction() as connection:
        assert await erase_customer(connection, organization_id, customer_id, "id")


@asynccontextmanager
async def on_their_way(
    store: Callable[[BaseDBAsyncClient], Awaitable[object]],
) -> AsyncIterator[None]:
    """Stores events at the beginning, and commits them at the end."""
    stored, arrive = asyncio.Event(), asyncio.Event()

    async def send_slowly() -> None:
        async with in_transaction() as connection:
            await store(connection)
            stored.set()
            await arrive.wait()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(send_slowly())
        await stored.wait()
        yield
        arrive.set()


async def erase_all(organization_id: UUID, customer_id: UUID) -> None:
    """Erases what is left, as workers do, and counts what is pending."""
    await drain(organization_id)
    while await erase_span(organization_id, customer_id) is Step.MORE:
        pass
    erasure = await CustomerErasure.get(organization_id=organization_id, customer_id=customer_id)
    assert erasure.next_from is None
    assert erasure.finished_at is not None


async def metadata_left(
    database: BaseDBAsyncClient, organization_id: UUID, customer_id: UUID
) -> int:
    """How many of the customer's events still have metadata."""
    [row] = await database.execute_query_dict(LEFT, [organization_id, customer_id])
    events: int = row["events"]
    return events


async def numbers_of(
    database: BaseDBAsyncClient,
    meter: MeterDefinition,
    windows: Sequence[Window],
    customer_ids: Sequence[UUID],
    *,
    groups_of: Sequence[int] = (),
) -> list[Any]:
    """All numbers of a meter over the windows, by the places of the customers.

    Usage by dimension is by group for the customers at `groups_of`, and of all groups together.
    """
    whole = Window(windows[0].start, windows[-1].end)
    found: list[Any] = []
    for customer_id in (None, *customer_ids):
        found.append(await usage(database, meter, windows, customer_id))
        together = await grouped_usage(database, meter, windows, Grouping((), ()), customer_id)
        found.append(together.usage)
    if meter.dimensions:
        for place in groups_of:
            grouping = Grouping(meter.dimensions, ())
            found.append(
                await grouped_usage(database, meter, windows, grouping, customer_ids[place])
            )
    places = {customer_id: place for place, customer_id in enumerate(customer_ids)}
    top = await top_customers(database, meter, whole, 10)
    found.append(sorted((places[one.customer_id], one.quantity) for one in top))
    head = (await EventLog.get(organization_id=meter.organization_id)).head
    periods = [
        CustomerPeriod(customer_id, window.start, window.end)
        for customer_id in customer_ids
        for window in windows
    ]
    found += await usage_of_periods(database, meter, head, periods)
    rows = await CustomerMeter.filter(meter_id=meter.id).order_by("id")
    found.append(
        sorted((places[row.customer_id], row.count, row.consumed, row.unique_count) for row in rows)
    )
    return found

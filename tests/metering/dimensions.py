"""Meters with dimensions: events that they count, and what they keep by dimension."""

from datetime import timedelta
from typing import Any

from tortoise.backends.base.client import BaseDBAsyncClient

from metering.audit.rounds import audit_step
from metering.counting.progress import progress
from metering.language.aggregations import Aggregation, AggregationFunction
from metering.language.filters import Filter
from metering.meters import MeterChanges, create_meter, update_meter
from metering.usage.grouping import Grouping
from metering.usage.groups import grouped_usage
from metering.usage.windows import Window
from models import ALL_CUSTOMERS, Meter, Organization, UsageAudit
from tests.ingesting import NOON, catch_up_all, definition_of, send

SUM = Aggregation(AggregationFunction.SUM, "tokens")
MODELS = ["a", "b", "c"]


async def meter_by(
    organization: Organization, *dimensions: str, aggregation: Aggregation = SUM
) -> Meter:
    meter = await create_meter(organization.id, "M", None, Filter(), aggregation, dimensions)
    await catch_up_all(organization.id)
    return meter


async def use(organization: Organization, count: int = 6) -> None:
    """Events of three models in two regions, a few minutes apart."""
    await send(
        organization.id,
        *(
            {
                "metadata": {"tokens": number, "model": MODELS[number % 3], "eu": number % 2 == 0},
                "timestamp": NOON + timedelta(minutes=23 * number),
            }
            for number in range(count)
        ),
    )


async def totals(database: BaseDBAsyncClient, meter: Meter, *by: str) -> Any:
    """The total of each group by its values, and that of all events."""
    day = Window(NOON - timedelta(minutes=1), NOON + timedelta(days=1))
    found = await grouped_usage(database, await definition_of(meter), [day], Grouping(by))
    groups = {
        tuple(value.value for value in group.values): group.usage.total.quantity
        for group in found.groups
    }
    return groups, found.usage.total.quantity


async def change(organization: Organization, meter: Meter, *dimensions: str) -> None:
    await update_meter(organization.id, meter.id, MeterChanges(dimensions=dimensions))


async def pending(organization: Organization, meter: Meter) -> tuple[int, int]:
    [found] = await progress(organization.id, [meter])
    return found.pending_events, found.dimensions_pending_events


async def drifts(organization: Organization) -> int:
    """Audits everything that is kept of the organization, and tells what differed."""
    await UsageAudit.update_or_create(
        {"customer_id": ALL_CUSTOMERS, "next_from": None, "started_at": NOON, "finished_at": None},
        organization_id=organization.id,
    )
    found = 0
    step = None
    while step is None or not step.is_last:
        step = await audit_step(organization.id)
        found += step.drifts
    return found

"""Events that are stored with ids and customers of the test's choice, and meters on them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from metering.ingest.events import EventDraft
from metering.ingest.stored_events import NewEvents, insert_events
from metering.language.aggregations import Aggregation, AggregationFunction
from metering.language.definition import MeterDefinition
from metering.language.filters import Filter
from metering.meters import create_meter
from metering.months import make_months
from models import Customer, exact_json
from tests.ingesting import catch_up_all, definition_of
from tests.reference.strategies import event

CUSTOMERS = [UUID(int=1), UUID(int=2)]
WITH_DIMENSIONS = [
    function
    for function in AggregationFunction
    if function is not AggregationFunction.TIME_WEIGHTED
]
"""The functions of meters that can have dimensions, and whose quantities do not grow with time."""


async def store(
    database: BaseDBAsyncClient, organization_id: UUID, events: Sequence[dict[str, Any]]
) -> None:
    """Stores events as one batch, with the ids that they have. Makes what they need first."""
    for customer_id in dict.fromkeys(found["customer_id"] for found in events):
        await Customer.get_or_create(organization_id=organization_id, id=customer_id)
    await make_months(found["timestamp"] for found in events)
    await insert(database, organization_id, events)


async def insert(
    database: BaseDBAsyncClient, organization_id: UUID, events: Sequence[dict[str, Any]]
) -> None:
    """Stores events as one batch, with the ids that they have."""
    drafts = [
        EventDraft(
            name=found["name"],
            customer_id=found["customer_id"],
            external_customer_id=None,
            external_id=None,
            timestamp=found["timestamp"],
            metadata=exact_json.dumps(found["metadata"]),
        )
        for found in events
    ]
    new_events = NewEvents(
        [found["id"] for found in events], [found["customer_id"] for found in events], drafts
    )
    assert await insert_events(database, organization_id, new_events) is not None


def event_of(
    customer_id: UUID, *, id_: UUID, name: str, timestamp: datetime, metadata: dict[str, Any]
) -> dict[str, Any]:
    found = event(id_=id_, name=name, timestamp=timestamp, metadata=metadata)
    return {**found, "customer_id": customer_id}


async def meter_on(
    organization_id: UUID,
    filter_: Filter,
    aggregation: Aggregation,
    dimensions: Sequence[str] = (),
) -> MeterDefinition:
    """A new meter that has caught up."""
    meter = await create_meter(organization_id, "Meter", None, filter_, aggregation, dimensions)
    await catch_up_all(organization_id)
    return await definition_of(meter)

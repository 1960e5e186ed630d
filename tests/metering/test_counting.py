"""Events in, usage out: what the log makes of batches, in one process."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from metering.counting.catch_up import Chunk, catch_up
from metering.counting.log import advance
from metering.ingest.events import check_event
from metering.ingest.storing import IngestCall, InvalidEventPolicy, Receipt, ingest
from metering.language.aggregations import Aggregation, AggregationFunction
from metering.language.filters import Clause, ClauseOperator, Filter
from metering.meters import create_meter
from models import Customer, CustomerMeter, EventLog, Meter, Organization

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


async def send(organization: Organization, *events: dict[str, Any]) -> list[Receipt]:
    drafts = [
        check_event(
            {"externalCustomerId": "c1", "name": "ai_usage", "timestamp": NOON, **event},
            NOON + timedelta(days=1),
            UUID,
        )
        for event in events
    ]
    call = IngestCall(drafts, InvalidEventPolicy.REJECT_BATCH)
    return (await ingest(organization.id, [call]))[0]


async def meter_of(
    organization: Organization, function: AggregationFunction, name: str = "ai_usage"
) -> Meter:
    return await create_meter(
        organization.id,
        "Meter",
        None,
        Filter(clauses=(Clause("name", ClauseOperator.EQUALS, name),)),
        Aggregation(function, None if function is AggregationFunction.COUNT else "tokens"),
    )


async def drain(organization: Organization) -> None:
    while await advance(organization.id):
        pass


VALUES = [20, 10, 10, "0.5", 0, True, None]
EXPECTED = {
    AggregationFunction.COUNT: Decimal(7),
    AggregationFunction.SUM: Decimal("40.5"),
    AggregationFunction.AVERAGE: Decimal("8.1"),
    AggregationFunction.MINIMUM: Decimal(0),
    AggregationFunction.MAXIMUM: Decimal(20),
    AggregationFunction.UNIQUE: Decimal(5),
    AggregationFunction.LATEST: Decimal(0),
}


@pytest.mark.parametrize("function", AggregationFunction)
@pytest.mark.parametrize("when", ["live", "behind"])
async def test_every_aggregation_counts_live_and_from_history(
    organization: Organization, function: AggregationFunction, when: str
) -> None:
    events = [
        {"metadata": {"tokens": value}, "timestamp": NOON + timedelta(minutes=7 * number)}
        for number, value in enumerate(VALUES)
    ]
    if when == "live":
        meter = await meter_of(organization, function)
        assert meter.position is None
        for event in events:
            await send(organization, event)
        await drain(organization)
    else:
        await send(organization, *events)
        await drain(organization)
        meter = await meter_of(organization, function)
        assert meter.position == 0
        assert await catch_up(organization.id, meter.id) is Chunk.LAST
    await meter.refresh_from_db()
    skipped = {AggregationFunction.COUNT: 0, AggregationFunction.UNIQUE: 1}.get(function, 2)
    assert (meter.position, meter.counted_events, meter.skipped_events) == (
        None,
        len(VALUES) - skipped,
        skipped,
    )
    usage = await CustomerMeter.get(meter_id=meter.id)
    assert usage.consumed == EXPECTED[function]
    customer = await Customer.get(organization_id=organization.id)
    assert usage.customer_id == customer.id


async def test_positions_have_no_gaps_and_every_batch_is_counted_once(
    organization: Organization,
) -> None:
    meter = await meter_of(organization, AggregationFunction.SUM)
    for _ in range(3):
        await send(organization, {"metadata": {"tokens": 1}}, {"metadata": {"tokens": 2}})
    await drain(organization)
    await drain(organization)
    log = await EventLog.get(organization_id=organization.id)
    assert (log.head, log.events) == (3, 6)
    assert (await CustomerMeter.get(meter_id=meter.id)).consumed == 9


async def test_a_meter_of_another_name_is_not_touched(organization: Organization) -> None:
    meter = await meter_of(organization, AggregationFunction.SUM, name="other")
    await send(organization, {"metadata": {"tokens": 1}})
    await drain(organization)
    await meter.refresh_from_db()
    assert (meter.position, meter.counted_events, meter.skipped_events) == (None, 0, 0)

"""Events on their way: meters for them, sent as the API sends them, counted in this process."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from metering.counting.catch_up import catch_up, meters_behind
from metering.counting.log import advance
from metering.ingest.events import check_event
from metering.ingest.storing import IngestCall, InvalidEventPolicy, Receipt, ingest
from metering.language import definition
from metering.language.aggregations import Aggregation, AggregationFunction
from metering.language.definition import MeterDefinition
from metering.language.filters import Clause, ClauseOperator, Filter
from metering.meters import create_meter
from models import Meter

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
_NEVER_AHEAD = datetime(9999, 1, 1, tzinfo=UTC)


def named(name: str) -> Filter:
    """The filter of events of a name."""
    return Filter(clauses=(Clause("name", ClauseOperator.EQUALS, name),))


async def meter_of(
    organization_id: UUID,
    function: AggregationFunction = AggregationFunction.SUM,
    filter_: Filter | None = None,
) -> Meter:
    """A new meter that aggregates `tokens`, of every event unless a filter says which."""
    property_ = None if function is AggregationFunction.COUNT else "tokens"
    aggregation = Aggregation(function, property_)
    return await create_meter(organization_id, function, None, filter_ or Filter(), aggregation)


async def definition_of(meter: Meter) -> MeterDefinition:
    """A meter, as counting and usage take it."""
    await meter.refresh_from_db()
    return definition.definition_of(meter)


async def send(organization_id: UUID, *events: dict[str, Any]) -> list[Receipt]:
    """Stores events, as one batch, each with the fields of EventInput that differ from the usual.

    The usual: `ai_usage` of customer c1 at NOON.
    """
    usual = {"externalCustomerId": "c1", "name": "ai_usage", "timestamp": NOON}
    drafts = [check_event({**usual, **event}, _NEVER_AHEAD, UUID) for event in events]
    call = IngestCall(drafts, InvalidEventPolicy.REJECT_BATCH)
    return (await ingest(organization_id, [call]))[0]


def usages(values: Iterable[Any], step: timedelta = timedelta(minutes=7)) -> list[dict[str, Any]]:
    """Events with `tokens` in their metadata, one every `step` from NOON on."""
    return [
        {"metadata": {"tokens": value}, "timestamp": NOON + step * number}
        for number, value in enumerate(values)
    ]


async def drain(organization_id: UUID) -> None:
    """Counts until nothing is pending; meters that are behind stay there."""
    while await advance(organization_id):
        pass


async def catch_up_all(organization_id: UUID) -> None:
    """Counts history until every meter is live."""
    for meter_id in await meters_behind(organization_id):
        while (await catch_up(organization_id, meter_id)).is_more:
            pass

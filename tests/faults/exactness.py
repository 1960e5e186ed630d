"""Compares every number with what Python makes of the raw events."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from tortoise.connection import get_connection

from config import clock
from metering.language.aggregations import Aggregation, AggregationFunction
from metering.language.definition import METER_COLUMNS, MeterDefinition, meter_definition
from metering.language.filters import Filter
from metering.language.parsing import parse_filter
from metering.meters import create_meter
from metering.usage.ranges import usage
from metering.usage.windows import Window
from models import CustomerMeter, EventBatch, EventLog, Meter, exact_json
from tests.reference.aggregations import aggregate
from tests.reference.carried import carried, carried_of_all
from tests.reference.filters import matches
from tests.reference.values import parse_json

ALL_TIME = Window(datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC))
FILTERS: tuple[dict[str, Any], ...] = (
    {"conjunction": "AND", "clauses": []},
    {
        "conjunction": "AND",
        "clauses": [
            {"clause": {"property": "name", "operator": "EQUALS", "value": "ai_usage"}},
            {"clause": {"property": "model", "operator": "NOT_EQUALS", "value": "small"}},
        ],
    },
)


async def create_meters(organization_id: UUID) -> list[Meter]:
    """A meter of every aggregation, on all events and on some."""
    meters = []
    for function in AggregationFunction:
        for written in FILTERS:
            filter_ = parse_filter(written)
            assert isinstance(filter_, Filter)
            named = None if function is AggregationFunction.COUNT else "tokens"
            aggregation = Aggregation(function, named)
            meters.append(await create_meter(organization_id, function, None, filter_, aggregation))
    return meters


async def is_drained(organization_id: UUID) -> bool:
    """Whether everything is counted: no batch is pending, no meter is behind."""
    return not (
        await EventBatch.filter(organization_id=organization_id, position=None).exists()
        or await Meter.filter(
            organization_id=organization_id, position__isnull=False, archived_at=None
        ).exists()
    )


@dataclass(frozen=True)
class Stored:
    """An event of the table, as the reference takes it."""

    customer_id: UUID
    position: int | None
    external_id: str | None
    plain: dict[str, Any]


async def stored_events(organization_id: UUID) -> list[Stored]:
    """Every event of the organization."""
    rows = await get_connection("default").execute_query_dict(
        """
        SELECT e.id, e.customer_id, e.name, e.timestamp, e.external_id, e.metadata, batch.position
        FROM event e
        JOIN event_batch batch ON batch.organization_id = $1 AND batch.id = e.batch_id
        WHERE e.organization_id = $1
        """,
        [organization_id],
    )
    return [
        Stored(
            row["customer_id"],
            row["position"],
            row["external_id"],
            {
                "id": row["id"],
                "name": row["name"],
                "timestamp": row["timestamp"],
                "metadata": parse_json(row["metadata"]),
            },
        )
        for row in rows
    ]


async def assert_exact(organization_id: UUID) -> int:
    """Holds the log and every meter against the raw events; gives how many events there are."""
    events = await stored_events(organization_id)
    log = await EventLog.get(organization_id=organization_id)
    batches = await EventBatch.filter(organization_id=organization_id).order_by("position")
    assert [batch.position for batch in batches] == list(range(1, log.head + 1))
    assert log.events == len(events) == sum(batch.event_count for batch in batches)
    rows = await get_connection("default").execute_query_dict(
        f"""
        SELECT {METER_COLUMNS}, counted_events, skipped_events FROM meter
        WHERE organization_id = $1
        """,
        [organization_id],
    )
    for row in rows:
        meter = meter_definition(row)
        filter_ = exact_json.loads(row["event_filter"])
        counted = [
            event
            for event in events
            if event.position is not None
            and (meter.position is None or event.position <= meter.position)
            and matches(filter_, event.plain)
        ]
        await _assert_meter(meter, counted, (row["counted_events"], row["skipped_events"]))
    return len(events)


async def _assert_meter(
    meter: MeterDefinition, counted: list[Stored], totals: tuple[int, int]
) -> None:
    function, named = meter.aggregation.function, meter.aggregation.property
    whole = aggregate(function, named, [event.plain for event in counted])
    assert totals == (whole.matched - whole.skipped, whole.skipped), meter
    connection = get_connection("default")
    by_customer = defaultdict(list)
    for event in counted:
        by_customer[event.customer_id].append({**event.plain, "customer_id": event.customer_id})
    everything = [event for its in by_customer.values() for event in its]
    in_range = whole.quantity
    if function is AggregationFunction.TIME_WEIGHTED:
        in_range = carried_of_all(function, named or "", everything, *ALL_TIME).quantity
    with clock.at(ALL_TIME.end):
        used = await usage(connection, meter, [ALL_TIME])
    assert used.total.quantity == in_range, meter
    cached = {
        row.customer_id: row.consumed for row in await CustomerMeter.filter(meter_id=meter.id)
    }
    expected: dict[UUID, Decimal] = {}
    for customer_id, its in by_customer.items():
        of_customer = aggregate(function, named, its)
        in_range = of_customer.quantity
        if function is AggregationFunction.TIME_WEIGHTED:
            in_range = carried(function, named or "", its, *ALL_TIME).quantity
        with clock.at(ALL_TIME.end):
            used = await usage(connection, meter, [ALL_TIME], customer_id)
        assert used.total.quantity == in_range, (meter, customer_id)
        if of_customer.matched > of_customer.skipped:
            expected[customer_id] = of_customer.quantity or Decimal(0)
    assert cached == expected, meter


async def assert_stored_once(organization_id: UUID, acknowledged: Iterable[dict[str, Any]]) -> None:
    """Every acknowledged event is stored, once, as it was sent; and nothing else but retries."""
    stored = defaultdict(list)
    for event in await stored_events(organization_id):
        stored[event.external_id].append(event.plain)
    for sent in acknowledged:
        (found,) = stored[sent["externalId"]]
        assert found["name"] == sent["name"]
        assert found["timestamp"] == datetime.fromisoformat(sent["timestamp"])
        assert found["metadata"] == parse_json(exact_json.dumps(sent["metadata"]))
    assert all(len(found) == 1 for found in stored.values())

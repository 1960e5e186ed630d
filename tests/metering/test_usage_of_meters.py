"""Reading many meters at once gives the same usage as reading each alone."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise, starmap

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from metering.language.aggregations import Aggregation, AggregationFunction
from metering.language.definition import (
    METER_COLUMNS,
    MeterDefinition,
    definition_of,
    meter_definition,
)
from metering.language.filters import Clause, ClauseOperator, Filter
from metering.language.parameters import Parameters
from metering.meters import create_meter
from metering.usage import bucket_ranges
from metering.usage.ranges import Quantity, usage, usage_of_meters
from metering.usage.windows import Interval, Window, windows, zone_of
from models import Customer, Organization
from tests.ingesting import drain, send
from tests.statements import counted

START = datetime(2026, 3, 1, tzinfo=UTC)
RANGES = {
    "whole buckets": (START, START + timedelta(days=3), "UTC"),
    "edges": (START + timedelta(minutes=7), START + timedelta(days=2, minutes=1), "Asia/Kolkata"),
    "one edge": (START + timedelta(minutes=1), START + timedelta(minutes=9), "UTC"),
    "nothing": (START - timedelta(days=9), START - timedelta(days=8), "UTC"),
    "no time": (START, START, "UTC"),
}


async def stored_meters(
    database: BaseDBAsyncClient, organization: Organization
) -> list[MeterDefinition]:
    """Two of each function, which have counted events of three days from START."""
    for name in ("a", "b"):
        of_name = Filter(clauses=(Clause("name", ClauseOperator.EQUALS, name),))
        for function in AggregationFunction:
            property_ = None if function is AggregationFunction.COUNT else "n"
            await create_meter(
                organization.id, "Meter", None, of_name, Aggregation(function, property_)
            )
    for minutes in range(0, 3 * 24 * 60, 401):
        event = {
            "name": "ab"[minutes % 2],
            "externalCustomerId": f"c{minutes % 3}",
            "timestamp": (START + timedelta(minutes=minutes)).isoformat(),
            "metadata": {"n": minutes % 7} if minutes % 5 else {},
        }
        await send(organization.id, event)
    await drain(organization.id)
    rows = await database.execute_query_dict(
        f"SELECT {METER_COLUMNS} FROM meter WHERE organization_id = $1", [organization.id]
    )
    return [meter_definition(row) for row in rows]


@pytest.mark.parametrize("range_", RANGES)
@pytest.mark.parametrize("whose", ["everybody", "one customer"])
async def test_many_meters_at_once_give_the_same_usage_as_each_alone(
    database: BaseDBAsyncClient, organization: Organization, range_: str, whose: str
) -> None:
    meters = await stored_meters(database, organization)
    start, end, zone = RANGES[range_]
    points = windows(start, end, Interval.DAY, zone_of(zone))
    customer = await Customer.get(organization_id=organization.id, external_id="c1")
    customer_id = None if whose == "everybody" else customer.id

    # Twice each, as two aliases of a query ask.
    with counted() as statements:
        twice = await usage_of_meters(database, [*meters, *meters], points, customer_id)
    together = twice[: len(meters)]

    assert len(statements) == (1 if points else 0)
    assert twice[len(meters) :] == together
    assert together == [await usage(database, meter, points, customer_id) for meter in meters]
    if range_ == "whole buckets" and whose == "everybody":
        counts = {
            meter.event_names: used.total.quantity
            for meter, used in zip(meters, together, strict=True)
            if meter.aggregation.function is AggregationFunction.COUNT
        }
        assert counts == {("a",): Decimal(6), ("b",): Decimal(5)}


HOURS: dict[str, list[float]] = {
    "shorter than buckets": [number * 7 / 60 for number in range(9)],
    "whole buckets": [number * 9.0 for number in range(9)],
    "broken buckets": [number * 9.7 for number in range(9)],
    "cut off at both ends": [5, 24, 48, 72, 73.5],
    "a longer first one": [0, 36, 48, 60, 72],
    "clocks that change": [0, 24, 47, 71, 95],
}


@pytest.mark.parametrize("bounds", HOURS)
@pytest.mark.parametrize("whose", ["everybody", "one customer"])
async def test_both_ways_of_finding_buckets_agree(
    database: BaseDBAsyncClient,
    organization: Organization,
    monkeypatch: pytest.MonkeyPatch,
    bounds: str,
    whose: str,
) -> None:
    meters = await stored_meters(database, organization)
    instants = [START + timedelta(hours=hour) for hour in HOURS[bounds]]
    points = list(starmap(Window, pairwise(instants)))
    customer = await Customer.get(organization_id=organization.id, external_id="c0")
    customer_id = None if whose == "everybody" else customer.id
    found = []
    for long in (timedelta(), timedelta(days=10_000)):
        monkeypatch.setattr(bucket_ranges, "_LONG", long)
        found.append(await usage_of_meters(database, meters, points, customer_id))

    assert found[0] == found[1]
    assert any(used.total.counted for used in found[0])


@pytest.mark.parametrize("interval", [Interval.HOUR, Interval.DAY])
async def test_a_repeated_value_within_a_window_counts_once(
    database: BaseDBAsyncClient, organization: Organization, interval: Interval
) -> None:
    unique = Aggregation(AggregationFunction.UNIQUE, "user")
    meter = await create_meter(organization.id, "Users", None, Filter(), unique)
    for minutes in (0, 20, 40):
        at = (START + timedelta(minutes=minutes)).isoformat()
        await send(organization.id, {"timestamp": at, "metadata": {"user": "a"}})
    await drain(organization.id)
    await meter.refresh_from_db()

    points = windows(START, START + timedelta(days=2), interval, zone_of("UTC"))
    found = await usage(database, definition_of(meter), points)

    assert found.points[0] == found.total == Quantity(Decimal(1), 3, 0)
    assert not any(point.counted for point in found.points[1:])


@pytest.mark.parametrize(("zone", "sent"), [("UTC", False), ("Europe/Berlin", True)])
def test_the_starts_of_windows_are_sent_only_if_they_differ_in_length(
    zone: str, *, sent: bool
) -> None:
    # Berlin's clocks change within the year, but hours stay hours.
    for interval, expected in ((Interval.DAY, sent), (Interval.HOUR, False)):
        days = 9_000 if interval is Interval.DAY else 40
        points = windows(START, START + timedelta(days=days), interval, zone_of(zone))
        parameters = Parameters()
        bucket_ranges.whole_buckets(points, parameters)
        assert any(isinstance(value, tuple) for value in parameters.values) is expected


def test_many_windows_are_not_looked_for_one_by_one() -> None:
    def written(days: int) -> str:
        points = windows(START, START + timedelta(days=days), Interval.DAY, zone_of("UTC"))
        whole = bucket_ranges.whole_buckets(points, Parameters())
        return whole(meters="$1", table="usage_bucket", columns="kept.count")

    assert "part.starts_at" in written(366)
    assert "part.starts_at" not in written(9_000)

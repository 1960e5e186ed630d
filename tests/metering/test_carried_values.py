"""What lasting values come to, in examples: seats, gigabyte-hours and empty ranges."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from config import clock
from metering.audit.recompute import recompute_customer_meter
from metering.language.aggregations import Aggregation, AggregationFunction
from metering.language.filters import Filter
from metering.meters import MeterChanges, create_meter, update_meter
from metering.problems import RefusedError
from metering.usage.customer_periods import CustomerPeriod
from metering.usage.ranges import usage
from metering.usage.top_customers import CustomerUsage, top_customers
from metering.usage.windows import Interval, Window, windows, zone_of
from models import CustomerMeter, Organization, UsageBucket
from models.identifiers import new_id
from tests.ingesting import drain
from tests.metering.carrying import FUNCTIONS, LASTING, NOON, begin
from tests.metering.stored import CUSTOMERS, event_of, meter_on, store
from tests.reference.carried import CARRYING_OVER


async def test_seats_stay_until_an_event_says_otherwise(
    database: BaseDBAsyncClient, organization: Organization
) -> None:
    meters = [
        await meter_on(organization.id, Filter(), Aggregation(function, "n", carries_over=True))
        for function in FUNCTIONS
    ]

    async def report(*said: tuple[int, int]) -> None:
        """Says how many seats customer 1 has, at noon of some days of March."""
        events = [
            event_of(
                CUSTOMERS[0],
                id_=new_id(),
                name="seats",
                timestamp=datetime(2026, 3, day, 12, tzinfo=UTC),
                metadata={"n": seats},
            )
            for day, seats in said
        ]
        await store(database, organization.id, events)
        await drain(organization.id)

    async def by_day() -> list[list[Decimal | None]]:
        days = windows(
            datetime(2026, 3, 1, tzinfo=UTC),
            datetime(2026, 3, 8, tzinfo=UTC),
            Interval.DAY,
            zone_of("UTC"),
        )
        found = [await usage(database, meter, days, CUSTOMERS[0]) for meter in meters]
        return [[point.quantity for point in one.points] for one in found]

    await report((2, 5), (5, 3))
    greatest, latest = await by_day()
    assert greatest == [None, 5, 5, 5, 5, 3, 3]
    assert latest == [None, 5, 5, 5, 3, 3, 3]
    await report((4, 8))
    greatest, latest = await by_day()
    assert greatest == [None, 5, 5, 8, 8, 3, 3]
    assert latest == [None, 5, 5, 8, 3, 3, 3]


async def test_the_maximum_of_all_customers_is_the_greatest_of_theirs(
    database: BaseDBAsyncClient, organization: Organization
) -> None:
    maximum = Aggregation(AggregationFunction.MAXIMUM, "n", carries_over=True)
    meter = await meter_on(organization.id, Filter(), maximum)
    said = [(CUSTOMERS[0], 1, 7), (CUSTOMERS[1], 2, 3), (CUSTOMERS[0], 4, 2)]
    events = [
        event_of(
            customer,
            id_=new_id(),
            name="seats",
            timestamp=datetime(2026, 3, day, tzinfo=UTC),
            metadata={"n": seats},
        )
        for customer, day, seats in said
    ]
    await store(database, organization.id, events)
    await drain(organization.id)
    days = windows(
        datetime(2026, 3, 3, tzinfo=UTC),
        datetime(2026, 3, 6, tzinfo=UTC),
        Interval.DAY,
        zone_of("UTC"),
    )
    found = await usage(database, meter, days)
    assert [point.quantity for point in found.points] == [7, 7, 3]
    assert [point.counted for point in found.points] == [0, 1, 0]
    assert found.total.quantity == 7


async def test_an_empty_range_has_no_value(
    database: BaseDBAsyncClient, organization: Organization
) -> None:
    latest = Aggregation(AggregationFunction.LATEST, "n", carries_over=True)
    meter = await meter_on(organization.id, Filter(), latest)
    one = event_of(CUSTOMERS[0], id_=new_id(), name="seats", timestamp=NOON, metadata={"n": 4})
    await store(database, organization.id, [one])
    await drain(organization.id)
    later = NOON + timedelta(days=1)
    await begin(meter, [CustomerPeriod(CUSTOMERS[0], later, later)])
    assert (await CustomerMeter.get(meter_id=meter.id)).consumed == 0
    await begin(meter, [CustomerPeriod(CUSTOMERS[0], later, None)])
    assert (await CustomerMeter.get(meter_id=meter.id)).consumed == 4


@pytest.mark.parametrize("function", LASTING)
async def test_dimensions_are_refused(
    organization: Organization, function: AggregationFunction
) -> None:
    aggregation = Aggregation(function, "n", function in CARRYING_OVER)
    with pytest.raises(RefusedError, match="cannot have dimensions"):
        await create_meter(organization.id, "Seats", None, Filter(), aggregation, ["plan"])
    meter = await create_meter(organization.id, "Seats", None, Filter(), aggregation)
    with pytest.raises(RefusedError, match="cannot have dimensions"):
        await update_meter(organization.id, meter.id, MeterChanges(dimensions=("plan",)))


async def test_gigabyte_hours_grow_until_now_and_no_further(
    database: BaseDBAsyncClient, organization: Organization
) -> None:
    meter = await meter_on(
        organization.id, Filter(), Aggregation(AggregationFunction.TIME_WEIGHTED, "n")
    )
    said = [(CUSTOMERS[0], 0, "4"), (CUSTOMERS[0], 2, "10"), (CUSTOMERS[1], 1, "0.5")]
    events = [
        event_of(
            customer,
            id_=new_id(),
            name="stored",
            timestamp=NOON + timedelta(hours=hours),
            metadata={"n": gigabytes},
        )
        for customer, hours, gigabytes in said
    ]
    await store(database, organization.id, events)
    await drain(organization.id)
    hours = windows(
        NOON - timedelta(hours=1), NOON + timedelta(hours=5), Interval.HOUR, zone_of("UTC")
    )
    with clock.at(NOON + timedelta(hours=3, minutes=30)):
        found = await usage(database, meter, hours)
        own = await usage(database, meter, hours, CUSTOMERS[0])
        top = await top_customers(database, meter, Window(hours[2].start, hours[-1].end), 10)
    assert [point.quantity for point in own.points] == [0, 4, 4, 10, 5, 0]
    assert [point.quantity for point in found.points] == [
        0,
        4,
        Decimal("4.5"),
        Decimal("10.5"),
        Decimal("5.25"),
        0,
    ]
    assert found.total.quantity == Decimal("24.25")
    assert top == [
        CustomerUsage(CUSTOMERS[0], Decimal(19)),
        CustomerUsage(CUSTOMERS[1], Decimal("1.25")),
    ]


async def test_events_of_one_bucket_may_come_in_any_order(
    database: BaseDBAsyncClient, organization: Organization
) -> None:
    meter = await meter_on(
        organization.id, Filter(), Aggregation(AggregationFunction.TIME_WEIGHTED, "n")
    )
    for minutes, value in ((0, 60), (14, 0), (7, 120), (7, 30), (3, 0)):
        one = event_of(
            CUSTOMERS[0],
            id_=new_id(),
            name="stored",
            timestamp=NOON + timedelta(minutes=minutes),
            metadata={"n": value},
        )
        await store(database, organization.id, [one])
        await drain(organization.id)
    # 60 for 3 minutes, nothing for 4, then 30, which is of the later event, for 7.
    expected = Decimal(3) + Decimal("3.5")
    row = await CustomerMeter.get(meter_id=meter.id)
    assert row.consumed == expected
    buckets = await UsageBucket.filter(meter_id=meter.id, customer_id=CUSTOMERS[0])
    assert [bucket.value_seconds for bucket in buckets] == [expected * 3600]
    recomputed = await recompute_customer_meter(organization.id, row.id)
    assert recomputed is not None
    assert recomputed.drifts == ()

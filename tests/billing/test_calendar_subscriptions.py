"""Subscriptions whose periods follow the calendar of the organization's zone."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from billing.catalog.prices import MeteredDraft
from billing.periods.intervals import BillingPeriods, RecurringInterval
from billing.subscriptions.life import CancelWhen
from metering.problems import RefusedError
from models import Customer, Meter, Product
from tests.billing.world import World

CALENDAR = BillingPeriods.CALENDAR


async def zone(world: World, name: str) -> None:
    world.organization.timezone = name
    await world.organization.save(update_fields=["timezone"])


@pytest.fixture
async def customer(world: World) -> Customer:
    await zone(world, "Europe/Berlin")
    return await world.customer()


@pytest.fixture
async def meter(world: World) -> Meter:
    return await world.meter()


async def plan(world: World, meter: Meter, **options: object) -> Product:
    """$20 and a cent a unit, at most $10, with 1,000 units, by calendar months."""
    priced = MeteredDraft("USD", meter.id, parameters={"unit_amount": Decimal(1)}, cap_amount=1_000)
    benefit = await world.benefit(meter, 1_000)
    return await world.product(
        world.fixed(2_000),
        priced,
        benefits=[benefit],
        billing_periods=CALENDAR,
        **options,  # type: ignore[arg-type]  # as World.product has them
    )


async def test_the_first_month_is_short_and_costs_its_share(
    world: World, customer: Customer, meter: Meter
) -> None:
    """From 17 April, 00:00 in Berlin: 14 of 30 days."""
    product = await plan(world, meter)
    one = await world.subscribe(customer, product, "2026-04-16T22:00")
    assert one.current_period_end == datetime(2026, 4, 30, 22, tzinfo=UTC)
    [first] = await world.invoices()
    assert (first.kinds, first.amounts) == (["FIXED"], [933])
    assert first.lines[0].period_end == one.current_period_end
    assert await world.balance(customer, meter) == (0, Decimal("466.666667"))
    # 5,466.666667 units, of which credit covers 466.666667: the cap is 14/30 of $10.
    await world.use(customer, ("2026-04-20", 5466))
    await world.cycle("2026-05-01")
    [_, second] = await world.invoices()
    assert (second.kinds, second.amounts) == (["METERED", "FIXED"], [467, 2_000])
    assert second.lines[1].period_start == datetime(2026, 4, 30, 22, tzinfo=UTC)
    assert second.lines[1].period_end == datetime(2026, 5, 31, 22, tzinfo=UTC)
    assert await world.balance(customer, meter) == (0, 1_000)


async def test_months_that_change_clocks_are_whole(
    world: World, customer: Customer, meter: Meter
) -> None:
    """March is an hour shorter in Berlin, October an hour longer; both cost the same."""
    product = await plan(world, meter)
    await world.subscribe(customer, product, "2026-02-28T23:00")
    await world.cycle("2026-12-01")
    fixed = [line for one in await world.invoices() for line in one.lines if line.kind == "FIXED"]
    assert [int(line.amount) for line in fixed] == [2_000] * 10
    lengths = [line.period_end - line.period_start for line in fixed]
    hours = [length.total_seconds() / 3600 for length in lengths]
    assert hours == [
        days * 24 + extra
        for days, extra in zip(
            (31, 30, 31, 30, 31, 31, 30, 31, 30, 31), (-1, 0, 0, 0, 0, 0, 0, 1, 0, 0), strict=True
        )
    ]


async def test_a_zone_that_changes_by_half_an_hour(
    world: World, customer: Customer, meter: Meter
) -> None:
    """On Lord Howe Island, October 2026 is half an hour shorter than 31 days."""
    await zone(world, "Australia/Lord_Howe")
    product = await plan(world, meter)
    await world.subscribe(customer, product, "2026-09-30T13:30")
    await world.cycle("2026-11-01")
    periods = [
        (line.period_start.isoformat(), line.period_end.isoformat(), int(line.amount))
        for one in await world.invoices()
        for line in one.lines
        if line.kind == "FIXED"
    ]
    assert periods == [
        ("2026-09-30T13:30:00+00:00", "2026-10-31T13:00:00+00:00", 2_000),
        ("2026-10-31T13:00:00+00:00", "2026-11-30T13:00:00+00:00", 2_000),
    ]


@pytest.mark.parametrize("elsewhere", ["America/Los_Angeles", "Pacific/Kiritimati"])
async def test_a_change_of_zone_keeps_the_end_of_the_open_period(
    world: World, customer: Customer, meter: Meter, elsewhere: str
) -> None:
    """The following period takes up the difference, and costs what a whole one does."""
    product = await plan(world, meter)
    one = await world.subscribe(customer, product, "2026-04-30T22:00")
    await zone(world, elsewhere)
    await world.cycle("2026-07-03")
    await one.refresh_from_db()
    lines = [line for each in await world.invoices() for line in each.lines if line.kind == "FIXED"]
    ends = {"America/Los_Angeles": (7, 1, 7), "Pacific/Kiritimati": (6, 30, 10)}[elsewhere]
    assert [line.period_end for line in lines[:2]] == [
        datetime(2026, 5, 31, 22, tzinfo=UTC),
        datetime(2026, *ends, tzinfo=UTC),
    ]
    assert [int(line.amount) for line in lines] == [2_000] * 3


async def test_what_is_given_back_is_what_was_paid_for_that_time(
    world: World, customer: Customer, meter: Meter
) -> None:
    """Also of a short first period, and after the organization has moved."""
    product = await plan(world, meter)
    one = await world.subscribe(customer, product, "2026-04-16T22:00")
    await zone(world, "Pacific/Kiritimati")
    await world.cancel(one, "2026-04-16T22:00", CancelWhen.NOW, prorate=True)
    first, last = await world.invoices()
    assert first.amounts == [933]
    assert last.amounts[-1] == -933


async def test_after_a_trial_the_first_calendar_period_is_short(
    world: World, customer: Customer, meter: Meter
) -> None:
    product = await plan(world, meter, trial_days=9)
    await world.subscribe(customer, product, "2026-04-12T22:00")
    await world.cycle("2026-05-01")
    lines = [line for one in await world.invoices() for line in one.lines if line.kind == "FIXED"]
    # From 22 April on: 9 of 30 days.
    assert [int(line.amount) for line in lines] == [600, 2_000]


async def test_quarters_weeks_and_years_of_the_calendar(
    world: World, customer: Customer, meter: Meter
) -> None:
    shapes = {
        (RecurringInterval.MONTH, 3): datetime(2026, 6, 30, 22, tzinfo=UTC),
        (RecurringInterval.WEEK, 1): datetime(2026, 4, 19, 22, tzinfo=UTC),
        (RecurringInterval.YEAR, 1): datetime(2026, 12, 31, 23, tzinfo=UTC),
    }
    for number, ((interval, count), end) in enumerate(shapes.items()):
        product = await world.product(
            world.fixed(), interval=interval, count=count, billing_periods=CALENDAR
        )
        other = await world.customer(f"c{number}")
        one = await world.subscribe(other, product, "2026-04-16T22:00")
        assert one.current_period_end == end, interval


async def test_periods_of_several_intervals(world: World, customer: Customer, meter: Meter) -> None:
    quarterly = await world.product(world.fixed(), world.per_unit(meter), count=3)
    await world.subscribe(customer, quarterly, "2025-11-30")
    await world.use(customer, ("2026-02-27", 7))
    await world.cycle("2026-06-01")
    found = [
        (line.kind, line.period_start.date().isoformat(), line.period_end.date().isoformat())
        for one in await world.invoices()
        for line in one.lines
    ]
    assert found == [
        ("FIXED", "2025-11-30", "2026-02-28"),
        ("METERED", "2025-11-30", "2026-02-28"),
        ("FIXED", "2026-02-28", "2026-05-30"),
        ("METERED", "2026-02-28", "2026-05-30"),
        ("FIXED", "2026-05-30", "2026-08-30"),
    ]


@pytest.mark.parametrize(
    ("interval", "count", "billing_periods", "path"),
    [
        (RecurringInterval.MONTH, 0, BillingPeriods.FROM_START, "intervalCount"),
        (RecurringInterval.MONTH, -3, BillingPeriods.FROM_START, "intervalCount"),
        (RecurringInterval.MONTH, 61, BillingPeriods.FROM_START, "intervalCount"),
        (RecurringInterval.YEAR, 2_147_483_647, BillingPeriods.FROM_START, "intervalCount"),
        (RecurringInterval.MONTH, 5, CALENDAR, "intervalCount"),
        (RecurringInterval.WEEK, 2, CALENDAR, "intervalCount"),
        (RecurringInterval.YEAR, 2, CALENDAR, "intervalCount"),
        (RecurringInterval.DAY, 1, CALENDAR, "billingPeriods"),
    ],
)
async def test_impossible_periods_are_refused(
    world: World,
    interval: RecurringInterval,
    count: int,
    billing_periods: BillingPeriods,
    path: str,
) -> None:
    with pytest.raises(RefusedError) as refused:
        await world.product(
            world.fixed(), interval=interval, count=count, billing_periods=billing_periods
        )
    assert [one.path for one in refused.value.problems] == [(path,)]

"""Which usage intervals a product may have, and how they fit its periods."""

import pytest

from billing.periods.intervals import BillingPeriods, RecurringInterval
from metering.problems import RefusedError
from models import CustomerSubscription
from tests.billing.world import World, instant

DAY, WEEK = RecurringInterval.DAY, RecurringInterval.WEEK
MONTH, YEAR = RecurringInterval.MONTH, RecurringInterval.YEAR
CALENDAR = BillingPeriods.CALENDAR


@pytest.mark.parametrize(
    ("interval", "count", "periods", "usage", "code"),
    [
        (YEAR, 1, BillingPeriods.FROM_START, WEEK, "INVALID"),
        (MONTH, 1, BillingPeriods.FROM_START, WEEK, "INVALID"),
        (MONTH, 1, BillingPeriods.FROM_START, YEAR, "INVALID"),
        (MONTH, 18, BillingPeriods.FROM_START, YEAR, "INVALID"),
        (WEEK, 1, BillingPeriods.FROM_START, MONTH, "INVALID"),
        (DAY, 10, BillingPeriods.FROM_START, WEEK, "INVALID"),
        (MONTH, 1, CALENDAR, DAY, "INVALID"),
        (YEAR, 1, BillingPeriods.FROM_START, DAY, "LIMIT_EXCEEDED"),
        (DAY, 61, BillingPeriods.FROM_START, DAY, "LIMIT_EXCEEDED"),
    ],
)
async def test_usage_intervals_must_divide_the_period(
    world: World,
    interval: RecurringInterval,
    count: int,
    periods: BillingPeriods,
    usage: RecurringInterval,
    code: str,
) -> None:
    with pytest.raises(RefusedError) as refused:
        await world.product(
            world.fixed(),
            interval=interval,
            count=count,
            billing_periods=periods,
            usage_interval=usage,
        )
    assert [(one.code, one.path) for one in refused.value.problems] == [(code, ("usageInterval",))]


@pytest.mark.parametrize(
    ("interval", "count", "periods", "usage", "end"),
    [
        (YEAR, 5, BillingPeriods.FROM_START, MONTH, "2026-02-28"),
        (YEAR, 5, BillingPeriods.FROM_START, YEAR, "2027-01-31"),
        (MONTH, 24, BillingPeriods.FROM_START, YEAR, "2027-01-31"),
        (MONTH, 1, BillingPeriods.FROM_START, DAY, "2026-02-01"),
        (WEEK, 52, BillingPeriods.FROM_START, WEEK, "2026-02-07"),
        (DAY, 14, BillingPeriods.FROM_START, WEEK, "2026-02-07"),
        (MONTH, 3, CALENDAR, MONTH, "2026-02-01"),
        (MONTH, 12, CALENDAR, YEAR, "2027-01-01"),
        (WEEK, 1, CALENDAR, WEEK, "2026-02-02"),
    ],
)
async def test_usage_goes_by_whole_parts_of_a_period(
    world: World,
    interval: RecurringInterval,
    count: int,
    periods: BillingPeriods,
    usage: RecurringInterval,
    end: str,
) -> None:
    """After each period begins another one, exactly where a usage period does."""
    product = await world.product(
        *(world.fixed(), world.per_unit(await world.meter())),
        interval=interval,
        count=count,
        billing_periods=periods,
        usage_interval=usage,
    )
    subscription = await world.subscribe(await world.customer(), product, "2026-01-31")
    assert subscription.usage_period_end == instant(end)
    year_end = subscription.current_period_end.replace(tzinfo=None).isoformat()
    await world.cycle(year_end)
    renewed = await CustomerSubscription.get(id=subscription.id)
    assert renewed.current_period_start == subscription.current_period_end
    assert renewed.usage_period_start == renewed.current_period_start

"""Changes of plans that are paid by the year and whose usage is billed by the month."""

from decimal import Decimal

import pytest

from billing.periods.intervals import RecurringInterval
from billing.subscriptions.life import CancelWhen
from metering.problems import RefusedError
from models import Customer, CustomerSubscription, Meter, Product
from tests.billing.world import World, instant

MONTH, YEAR = RecurringInterval.MONTH, RecurringInterval.YEAR
LATER = CancelWhen.PERIOD_END


class Plans:
    """A customer of Pro: a dollar a day, 310 units a month.

    Scale is two dollars a day with 620 rolling units a month. Annual has 3,650 units a year, and
    its usage is billed by the year. Small is $31 a month with 310 units.
    """

    customer: Customer
    meter: Meter
    pro: Product
    scale: Product
    annual: Product
    small: Product
    subscription: CustomerSubscription


@pytest.fixture
async def plans(world: World) -> Plans:
    plans = Plans()
    plans.customer, plans.meter = await world.customer(), await world.meter()

    async def plan(name: str, fixed: int, unit: int, units: int, **options: object) -> Product:
        rollover = name == "Scale"
        benefit = await world.benefit(plans.meter, units, rollover=rollover)
        return await world.product(
            *(world.fixed(fixed), world.per_unit(plans.meter, unit)),
            benefits=[benefit],
            name=name,
            **options,  # type: ignore[arg-type]  # as World.product has them
        )

    plans.pro = await plan("Pro", 36_500, 10, 310, interval=YEAR, usage_interval=MONTH)
    plans.scale = await plan("Scale", 73_000, 7, 620, interval=YEAR, usage_interval=MONTH)
    plans.annual = await plan("Annual", 73_000, 5, 3_650, interval=YEAR)
    plans.small = await plan("Small", 3_100, 20, 310)
    plans.subscription = await world.subscribe(plans.customer, plans.pro, "2026-01-01")
    return plans


async def ends(plans: Plans) -> tuple[str, str]:
    """Where the usage period and the period end."""
    await plans.subscription.refresh_from_db()
    one = plans.subscription
    return (
        one.usage_period_end.date().isoformat(),
        one.current_period_end.date().isoformat(),
    )


async def test_money_is_prorated_by_the_year_and_credit_by_the_month(
    world: World, plans: Plans
) -> None:
    await world.use(plans.customer, ("2026-01-05", 60))
    invoice = await world.change(plans.subscription, "2026-01-11", plans.scale)
    assert invoice is not None
    # 355 of 365 days are left of the year, and 21 of 31 of the month.
    assert invoice.kinds == ["METERED", "PRORATION", "PRORATION"]
    assert invoice.amounts == [0, -35_500, 71_000]
    assert {line.period_end for line in invoice.lines[1:]} == {instant("2027-01-01")}
    assert await ends(plans) == ("2026-02-01", "2027-01-01")
    # Of 250 units left, 210 are taken back; 420 are granted.
    assert await world.balance(plans.customer, plans.meter) == (0, 40 + 420)
    await world.cycle("2026-02-01")
    assert await world.balance(plans.customer, plans.meter) == (0, 420 + 620)
    last = (await world.invoices())[-1]
    assert (last.kinds, last.amounts) == (["METERED"], [0])


async def test_a_second_change_months_later_gives_back_what_is_left_of_the_year(
    world: World, plans: Plans
) -> None:
    await world.change(plans.subscription, "2026-01-11", plans.scale)
    await world.cycle("2026-03-01")
    invoice = await world.change(plans.subscription, "2026-03-11", plans.pro, 2)
    assert invoice is not None
    # 296 days are left.
    assert invoice.amounts == [0, -59_200, 59_200]


async def test_to_usage_by_the_year_the_usage_period_lasts_until_the_year_ends(
    world: World, plans: Plans
) -> None:
    await world.use(plans.customer, ("2026-01-05", 400))
    invoice = await world.change(plans.subscription, "2026-01-11", plans.annual)
    assert invoice is not None
    assert invoice.amounts == [900, -35_500, 71_000]
    assert await ends(plans) == ("2027-01-01", "2027-01-01")
    assert await world.balance(plans.customer, plans.meter) == (0, 3_550)
    await world.cycle("2027-01-01")
    last = (await world.invoices())[-1]
    assert last.kinds == ["METERED", "FIXED"]
    assert last.lines[0].period_start == instant("2026-01-11")
    assert len(await world.invoices()) == 3


async def test_to_usage_by_the_month_the_rest_of_the_month_comes_first(
    world: World, plans: Plans
) -> None:
    other = await world.customer("other")
    subscription = await world.subscribe(other, plans.annual, "2026-01-01")
    plans.subscription = subscription
    await world.use(other, ("2026-03-05", 100))
    invoice = await world.change(subscription, "2026-03-11", plans.pro)
    assert invoice is not None
    # 296 of 365 days.
    assert invoice.amounts == [0, -59_200, 29_600]
    assert await ends(plans) == ("2026-04-01", "2027-01-01")
    # Of 3,550 units left, 2,960 are taken back; 310 * 21 / 31 are granted.
    assert await world.balance(other, plans.meter) == (0, 590 + 210)
    await world.cycle("2026-04-01")
    assert await world.balance(other, plans.meter) == (0, 310)
    assert await ends(plans) == ("2026-05-01", "2027-01-01")


async def test_another_interval_begins_a_whole_new_period(world: World, plans: Plans) -> None:
    invoice = await world.change(plans.subscription, "2026-03-11", plans.small)
    assert invoice is not None
    assert (invoice.kinds, invoice.amounts) == (
        ["METERED", "PRORATION", "FIXED"],
        [0, -29_600, 3_100],
    )
    assert await ends(plans) == ("2026-04-11", "2026-04-11")
    back = await world.change(plans.subscription, "2026-04-01", plans.pro)
    assert back is not None
    assert back.kinds == ["METERED", "PRORATION", "FIXED", "BALANCE"]
    assert back.amounts[2] == 36_500
    assert await ends(plans) == ("2026-05-01", "2027-04-01")


async def test_a_pending_change_waits_for_the_end_of_the_year_and_keeps_its_meter(
    world: World, plans: Plans
) -> None:
    other = await world.meter(name="other")
    both = await world.product(
        *(world.fixed(100), world.per_unit(plans.meter), world.per_unit(other)), interval=YEAR
    )
    taking = await world.product(world.per_unit(other), name="Other")
    await world.change(plans.subscription, "2026-02-10", both, 3, LATER)
    await world.cycle("2026-11-20")
    await plans.subscription.refresh_from_db()
    one = plans.subscription
    assert (one.product_id, one.quantity) == (plans.pro.id, 1)
    assert (one.pending_product_id, one.pending_quantity) == (both.id, 3)
    with pytest.raises(RefusedError, match="another subscription"):
        await world.subscribe(plans.customer, taking, "2026-11-21")
    await world.cycle("2027-01-01")
    await one.refresh_from_db()
    assert (one.product_id, one.quantity, one.pending_product_id) == (both.id, 3, None)
    last = (await world.invoices())[-1]
    assert (last.kinds, last.amounts) == (["METERED", "FIXED"], [0, 300])
    assert await ends(plans) == ("2028-01-01", "2028-01-01")


async def test_a_meter_that_is_in_no_benefit_any_more_is_free_from_the_next_month(
    world: World, plans: Plans
) -> None:
    """The year goes on, but nothing of it needs the meter."""
    other = await world.meter(name="other")
    extra = await world.benefit(other, 5)
    await world.give_benefits(plans.pro, [extra], "2026-01-05")
    await world.cycle("2026-02-01")
    await world.give_benefits(plans.pro, [], "2026-02-05")
    taking = await world.product(world.per_unit(other), name="Other")
    with pytest.raises(RefusedError, match="another subscription"):
        await world.subscribe(plans.customer, taking, "2026-02-06")
    await world.cycle("2026-03-01")
    assert (await world.subscribe(plans.customer, taking, "2026-03-02")).status == "ACTIVE"


async def test_a_cancellation_gives_back_the_rest_of_the_year(world: World, plans: Plans) -> None:
    await world.use(plans.customer, ("2026-02-05", 311), ("2026-03-05", 312))
    await world.cycle("2026-03-02")
    await world.cancel(plans.subscription, "2026-03-11", CancelWhen.NOW, prorate=True)
    assert await ends(plans) == ("2026-03-11", "2026-03-11")
    last = (await world.invoices())[-1]
    assert (last.kinds, last.amounts) == (["METERED", "PRORATION"], [20, -29_600])
    assert last.lines[0].period_start == instant("2026-03-01")
    # Late usage of a month that is over is corrected within a month.
    await world.use(plans.customer, ("2026-02-06", 1))
    await world.cycle("2026-03-12")
    await world.cycle("2026-04-11")
    last = (await world.invoices())[-1]
    assert (last.kinds, last.amounts) == (["CORRECTION", "BALANCE"], [10, -10])


async def test_the_preview_of_a_change_at_the_end_of_the_year(world: World, plans: Plans) -> None:
    """It shows the last month, and leaves everything as it was."""
    await world.cycle("2026-02-01")
    await world.use(plans.customer, ("2026-02-05", 500))
    preview = await world.preview(plans.subscription, "2026-02-10", plans.scale, 2, LATER)
    said = [(line.kind, line.period_start.month, int(line.amount)) for line in preview.lines]
    assert said == [("METERED", 12, 0), ("FIXED", 1, 146_000)]
    assert preview.next_period_end == instant("2028-01-01")
    assert preview.credit_changes == {plans.meter.id: Decimal(620)}
    assert await ends(plans) == ("2026-03-01", "2027-01-01")
    assert plans.subscription.pending_product_id is None


async def test_a_change_in_a_trial_keeps_the_end_of_the_trial(world: World, plans: Plans) -> None:
    other = await world.customer("other")
    plans.subscription = await world.subscribe(
        other, plans.pro, "2026-01-01", trial_ends_at="2026-02-10"
    )
    await world.change(plans.subscription, "2026-01-21", plans.annual)
    assert await ends(plans) == ("2026-02-10", "2026-02-10")
    # Half of the trial is left: 155 of 310 units are taken back, half of 3,650 are granted.
    assert await world.balance(other, plans.meter) == (0, 155 + 1_825)
    await world.change(plans.subscription, "2026-01-22", plans.scale)
    await world.cycle("2026-02-10")
    assert await ends(plans) == ("2026-03-10", "2027-02-10")

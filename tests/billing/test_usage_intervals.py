"""Plans that are paid by the year and whose usage is billed by the month."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from billing.alerts.estimated import decide_estimates
from billing.invoicing.estimates import upcoming_invoices
from billing.periods.intervals import BillingPeriods, RecurringInterval
from billing.subscriptions.life import CancelWhen
from metering.alerts.kinds import UsageAlertKind
from models import CreditHolding, Customer, Meter, MeteredPeriod, Product
from tests.billing.alerting import CONSUMED, make_alert, triggers
from tests.billing.world import World, instant
from tests.outbox import happened, listen
from waiting.patience import Patience

DAY, WEEK = RecurringInterval.DAY, RecurringInterval.WEEK
MONTH, YEAR = RecurringInterval.MONTH, RecurringInterval.YEAR
CALENDAR = BillingPeriods.CALENDAR


@pytest.fixture
async def customer(world: World) -> Customer:
    return await world.customer()


@pytest.fixture
async def meter(world: World) -> Meter:
    return await world.meter()


async def yearly(world: World, meter: Meter, **options: object) -> Product:
    """$120 a year, with 100 units a month and a cent for each further one."""
    return await world.product(
        *(world.fixed(12_000), world.per_unit(meter)),
        benefits=[await world.benefit(meter, 100)],
        interval=YEAR,
        usage_interval=MONTH,
        **options,  # type: ignore[arg-type]  # as World.product has them
    )


def days(*instants: datetime) -> tuple[str, ...]:
    return tuple(one.date().isoformat() for one in instants)


async def test_usage_is_invoiced_every_month_and_the_fixed_price_every_year(
    world: World, customer: Customer, meter: Meter
) -> None:
    await world.subscribe(customer, await yearly(world, meter), "2026-01-31")
    await world.use(customer, ("2026-02-27", 130), ("2026-03-30", 250), ("2027-01-30", 101))
    await world.cycle("2027-02-27")
    first, *monthly, last = await world.invoices()
    assert (first.kinds, first.amounts) == (["FIXED"], [12_000])
    assert [one.kinds for one in monthly] == [["METERED"]] * 11
    assert [one.amounts for one in monthly] == [[30], [150], *([[0]] * 9)]
    ends = [days(one.lines[0].period_end)[0] for one in (*monthly, last)]
    assert ends[:4] == ["2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]
    assert ends[-2:] == ["2026-12-31", "2027-01-31"]
    assert (last.kinds, last.amounts) == (["METERED", "FIXED"], [1, 12_000])
    fixed = last.lines[1]
    assert days(fixed.period_start, fixed.period_end) == ("2027-01-31", "2028-01-31")
    ledger = await world.ledger(customer, meter)
    assert ledger == [("GRANT", 100), *([("EXPIRY", -100), ("GRANT", 100)] * 12)]


async def test_the_subscription_tells_the_year_and_the_month(
    world: World, customer: Customer, meter: Meter
) -> None:
    subscription = await world.subscribe(customer, await yearly(world, meter), "2026-01-31")
    await world.cycle("2026-04-01")
    await subscription.refresh_from_db()
    assert days(
        *(subscription.current_period_start, subscription.current_period_end),
        *(subscription.usage_period_start, subscription.usage_period_end),
    ) == ("2026-01-31", "2027-01-31", "2026-03-31", "2026-04-30")


async def test_the_next_invoice_has_the_fixed_price_only_at_the_end_of_the_year(
    world: World, customer: Customer, meter: Meter
) -> None:
    subscription = await world.subscribe(customer, await yearly(world, meter), "2026-01-01")
    await world.use(customer, ("2026-01-10", 110), ("2026-12-10", 120))
    amounts = []
    for now in ("2026-01-20", "2026-11-20", "2026-12-20"):
        await world.cycle(now)
        estimate = (await upcoming_invoices(world.id, [subscription.id]))[subscription.id]
        amounts.append([line.amount for line in estimate.lines])
    assert amounts == [[10], [0], [20, 12_000]]


async def test_a_late_event_is_corrected_on_the_next_monthly_invoice(
    world: World, customer: Customer, meter: Meter
) -> None:
    product = await world.product(
        *(world.fixed(12_000), world.per_unit(meter)),
        benefits=[await world.benefit(meter, 100, rollover=True)],
        interval=YEAR,
        usage_interval=MONTH,
    )
    await world.subscribe(customer, product, "2026-01-01")
    await world.cycle("2026-03-15")
    # January had 100 units, and nothing is left of them to carry over.
    await world.use(customer, ("2026-01-05", 240))
    await world.cycle("2026-03-16")
    assert await world.balance(customer, meter) == (0, 200)
    await world.use(customer, ("2026-03-20", 201))
    await world.cycle("2026-04-01")
    last = (await world.invoices())[-1]
    said = [(line.kind, line.period_start.month, int(line.amount)) for line in last.lines]
    assert said == [("METERED", 3, 1), ("CORRECTION", 1, 140)]


async def test_a_cancellation_takes_effect_at_the_end_of_the_year(
    world: World, customer: Customer, meter: Meter
) -> None:
    await listen(world.id)
    subscription = await world.subscribe(customer, await yearly(world, meter), "2026-01-01")
    await world.cancel(subscription, "2026-02-10", CancelWhen.PERIOD_END)
    await world.use(customer, ("2026-12-31", 107))
    await world.cycle("2026-12-31")
    await subscription.refresh_from_db()
    assert (subscription.status, subscription.period_index) == ("ACTIVE", 11)
    await world.cycle("2027-01-01")
    await subscription.refresh_from_db()
    assert subscription.ended_at == instant("2027-01-01")
    last = (await world.invoices())[-1]
    assert (last.kinds, last.amounts) == (["METERED"], [7])
    told = [kind for kind, _id in await happened(world.id) if kind.startswith("subscription")]
    assert told == [
        "subscription.created",
        "subscription.cancel_scheduled",
        "subscription.ended",
    ]


async def test_a_subscription_renews_once_a_year(
    world: World, customer: Customer, meter: Meter
) -> None:
    await listen(world.id, "subscription.renewed")
    subscription = await world.subscribe(customer, await yearly(world, meter), "2026-01-01")
    await world.cycle("2028-02-01")
    assert await happened(world.id) == [("subscription.renewed", subscription.id)] * 2


async def test_an_imported_subscription_begins_in_its_current_month_and_pays_its_year(
    world: World, customer: Customer, meter: Meter
) -> None:
    await world.use(customer, ("2026-01-10", 500), ("2026-05-10", 120))
    product = await yearly(world, meter)
    subscription = await world.subscribe(customer, product, "2026-05-20", "2025-01-01")
    assert days(
        *(subscription.current_period_start, subscription.current_period_end),
        *(subscription.usage_period_start, subscription.usage_period_end),
    ) == ("2026-01-01", "2027-01-01", "2026-05-01", "2026-06-01")
    await world.cycle("2026-06-01")
    assert [one.amounts for one in await world.invoices()] == [[12_000], [20]]


async def test_a_trial_is_one_usage_period(world: World, customer: Customer, meter: Meter) -> None:
    """However long it is. The months are counted from its end."""
    product = await yearly(world, meter, trial_days=45)
    subscription = await world.subscribe(customer, product, "2026-01-01")
    await world.use(customer, ("2026-02-10", 150), ("2026-02-20", 130))
    assert await world.balance(customer, meter) == (150, 100)
    await world.cycle("2026-03-15")
    trial, first = await world.invoices()
    assert (trial.kinds, trial.amounts) == (["METERED", "FIXED"], [0, 12_000])
    assert days(trial.lines[0].period_start, trial.lines[0].period_end) == (
        "2026-01-01",
        "2026-02-15",
    )
    assert (first.kinds, first.amounts) == (["METERED"], [30])
    await subscription.refresh_from_db()
    assert days(subscription.usage_period_start, subscription.current_period_end) == (
        "2026-03-15",
        "2027-02-15",
    )


async def test_a_scheduled_subscription_begins_with_its_first_month(
    world: World, customer: Customer, meter: Meter
) -> None:
    product = await yearly(world, meter)
    subscription = await world.subscribe(customer, product, "2026-01-01", "2026-03-01")
    assert subscription.usage_period_end == instant("2026-03-01")
    await world.cycle("2026-04-02")
    await subscription.refresh_from_db()
    assert days(subscription.usage_period_start, subscription.current_period_end) == (
        "2026-04-01",
        "2027-03-01",
    )
    assert [one.amounts for one in await world.invoices()] == [[12_000], [0]]


async def test_an_alert_triggers_once_a_month(
    world: World, customer: Customer, meter: Meter
) -> None:
    await world.subscribe(customer, await yearly(world, meter), "2026-01-01")
    units = await make_alert(world, CONSUMED, 100, meter)
    amount = await make_alert(world, UsageAlertKind.ESTIMATED_AMOUNT, 5, None)
    for month in ("01", "02"):
        for day in ("10", "11"):
            await world.use(customer, (f"2026-{month}-{day}", 110))
            await decide_estimates(Patience())
        await world.cycle(f"2026-{month}-28")
        await world.cycle("2026-02-01")
    january, february = instant("2026-01-01"), instant("2026-02-01")
    assert await triggers(world, units) == [(january, 110), (february, 110)]
    assert await triggers(world, amount) == [(january, 10), (february, 10)]


async def test_other_benefits_apply_from_the_next_month(
    world: World, customer: Customer, meter: Meter
) -> None:
    product = await yearly(world, meter)
    await world.subscribe(customer, product, "2026-01-01")
    await world.give_benefits(product, [await world.benefit(meter, 7)], "2026-02-10")
    assert await world.balance(customer, meter) == (0, 100)
    await world.cycle("2026-03-01")
    assert await world.balance(customer, meter) == (0, 7)


async def test_the_first_month_and_the_first_year_of_the_calendar_are_short(
    world: World, customer: Customer, meter: Meter
) -> None:
    """From 17 April, 00:00 in Berlin: 14 of 30 days, and 259 of 365."""
    world.organization.timezone = "Europe/Berlin"
    await world.organization.save(update_fields=["timezone"])
    product = await yearly(world, meter, billing_periods=CALENDAR)
    one = await world.subscribe(customer, product, "2026-04-16T22:00")
    assert (one.usage_period_end, one.current_period_end) == (
        datetime(2026, 4, 30, 22, tzinfo=UTC),
        datetime(2026, 12, 31, 23, tzinfo=UTC),
    )
    [first] = await world.invoices()
    # Summer begins before April 17: an hour of 2026 is missing before, and comes after it.
    assert first.amounts == [round(12_000 * (259 * 24 + 1) / (365 * 24))]
    assert await world.balance(customer, meter) == (0, Decimal("46.666667"))
    await world.cycle("2026-05-01")
    assert await world.balance(customer, meter) == (0, 100)


@pytest.mark.parametrize("elsewhere", ["America/Los_Angeles", "Pacific/Kiritimati"])
async def test_a_change_of_zone_makes_no_usage_period_beyond_the_year(
    world: World, customer: Customer, meter: Meter, elsewhere: str
) -> None:
    """The open month and the open year keep their ends, and the months are whole ones."""
    world.organization.timezone = "Europe/Berlin"
    await world.organization.save(update_fields=["timezone"])
    product = await yearly(world, meter, billing_periods=CALENDAR)
    await world.subscribe(customer, product, "2025-12-31T23:00")
    world.organization.timezone = elsewhere
    await world.organization.save(update_fields=["timezone"])
    await world.cycle("2027-02-03")
    periods = await MeteredPeriod.filter(organization_id=world.id).order_by("ends_at")
    periods = [one for one in periods if one.starts_at is not None]
    assert periods[0].ends_at == datetime(2026, 1, 31, 23, tzinfo=UTC)
    assert periods[11].ends_at == datetime(2026, 12, 31, 23, tzinfo=UTC)
    assert [one.starts_at for one in periods[1:]] == [one.ends_at for one in periods[:-1]]
    held = await CreditHolding.filter(metered_period_id__in=[one.id for one in periods])
    assert [one.brought for one in held] == [100] * len(periods)
    amounts = [
        int(line.amount)
        for one in await world.invoices()
        for line in one.lines
        if line.kind == "FIXED"
    ]
    assert amounts == [12_000, 12_000]

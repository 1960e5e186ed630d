"""Changes of subscriptions: what is cut, prorated, taken back and granted, to the cent and unit."""

from decimal import Decimal

import pytest

from billing.catalog.prices import MeteredDraft
from billing.invoicing.estimates import upcoming_invoices
from billing.periods.intervals import RecurringInterval
from billing.subscriptions.changes import cancel_change
from billing.subscriptions.life import CancelWhen
from config import clock
from metering.problems import RefusedError
from models import CustomerMeter
from tests.billing.plans import Plans
from tests.billing.world import World, instant
from tests.outbox import happened, listen

LATER = CancelWhen.PERIOD_END


async def test_an_upgrade_within_a_period(world: World, plans: Plans) -> None:
    await world.use(plans.customer, ("2026-01-05", 320), ("2026-01-11", 5))
    invoice = await world.change(plans.subscription, "2026-01-11", plans.scale, 2)
    assert invoice is not None
    assert invoice.kinds == ["METERED", "PRORATION", "PRORATION"]
    # 21 of 31 days are left.
    assert invoice.amounts == [100, -2100, 8400]
    assert invoice.invoice.total == 6400
    metered, old, new = invoice.lines
    assert (metered.consumed, metered.credited, metered.billable) == (320, 310, 10)
    assert (metered.period_start, metered.period_end) == (
        instant("2026-01-01"),
        instant("2026-01-11"),
    )
    assert (old.description, new.description) == (
        "Unused time of Pro",
        "Remaining time of Scale × 2",  # noqa: RUF001
    )
    assert {(line.period_start, line.period_end) for line in (old, new)} == {
        (instant("2026-01-11"), instant("2026-02-01"))
    }
    await plans.subscription.refresh_from_db()
    assert (plans.subscription.product_id, plans.subscription.quantity) == (plans.scale.id, 2)
    assert plans.subscription.current_period_end == instant("2026-02-01")
    # All 310 were used, so nothing is taken back. 620 * 21 / 31 are granted.
    assert await world.balance(plans.customer, plans.meter) == (5, 420)
    await world.cycle("2026-02-01")
    last = (await world.invoices())[-1]
    assert (last.kinds, last.amounts) == (["METERED", "FIXED"], [0, 12400])
    assert last.lines[0].period_start == instant("2026-01-11")
    assert await world.balance(plans.customer, plans.meter) == (0, 415 + 620)


async def test_unused_credit_for_time_that_is_not_served_is_taken_back(
    world: World, plans: Plans
) -> None:
    await world.credit(plans.customer, plans.meter, 50, "2026-01-02")
    await world.use(plans.customer, ("2026-01-05", 60))
    await world.change(plans.subscription, "2026-01-11", plans.scale)
    assert await world.ledger(plans.customer, plans.meter) == [
        ("GRANT", 310),
        ("MANUAL", 50),
        ("EXPIRY", -360),
        ("CARRIED_OVER", 250),
        ("CARRIED_OVER", 50),
        ("REVOKE", -210),
        ("GRANT", 420),
    ]
    # 40 of the served time and 50 by hand stay.
    assert await world.balance(plans.customer, plans.meter) == (0, 40 + 50 + 420)
    await world.cycle("2026-02-01")
    assert await world.balance(plans.customer, plans.meter) == (0, 50 + 420 + 620)


async def test_a_downgrade_can_give_money_back(world: World, plans: Plans) -> None:
    await world.change(plans.subscription, "2026-01-11", plans.scale)
    invoice = await world.change(plans.subscription, "2026-01-21", plans.pro)
    assert invoice is not None
    # 11 of 31 days are left.
    assert invoice.amounts == [0, -2200, 1100]
    assert invoice.invoice.total == -1100
    # Scale granted 420 of 620 for its 21 days; for 11 days, 220 are taken back and 110 granted.
    entries = await world.ledger(plans.customer, plans.meter)
    assert entries[-4:] == [
        ("CARRIED_OVER", 100),
        ("CARRIED_OVER", 420),
        ("REVOKE", -220),
        ("GRANT", 110),
    ]
    await world.cycle("2026-02-01")
    # What is owed is used up first.
    last = (await world.invoices())[-1]
    assert (last.amounts, last.invoice.total) == ([0, 3100, -1100], 2000)


async def test_caps_are_in_proportion_to_time(world: World) -> None:
    customer, meter = await world.customer(), await world.meter()
    capped = MeteredDraft("USD", meter.id, parameters={"unit_amount": Decimal(1)}, cap_amount=1000)
    product = await world.product(world.fixed(100), capped)
    subscription = await world.subscribe(customer, product, "2026-01-01")
    await world.use(customer, ("2026-01-05", 5000), ("2026-01-20", 5000))
    invoice = await world.change(subscription, "2026-01-11", quantity=2)
    assert invoice is not None
    # 1000 * 10 / 31 and 1000 * 21 / 31.
    assert invoice.amounts[0] == 323
    estimate = (await upcoming_invoices(world.id, [subscription.id]))[subscription.id]
    await world.cycle("2026-02-01")
    last = (await world.invoices())[-1]
    assert last.amounts == [677, 200] == [line.amount for line in estimate.lines]
    # Late usage of the first part stays within its cap.
    await world.use(customer, ("2026-01-06", 5000))
    await world.cycle("2026-03-01")
    assert (await world.invoices())[-1].amounts == [0, 0, 200]


async def test_another_interval_begins_a_whole_period(world: World, plans: Plans) -> None:
    yearly = await world.product(
        world.fixed(30000),
        world.per_unit(plans.meter),
        benefits=[await world.benefit(plans.meter, 1000)],
        interval=RecurringInterval.YEAR,
        name="Yearly",
    )
    invoice = await world.change(plans.subscription, "2026-01-11T12:00", yearly)
    assert invoice is not None
    assert (invoice.kinds, invoice.amounts) == (
        ["METERED", "PRORATION", "FIXED"],
        [0, -2050, 30000],
    )
    await plans.subscription.refresh_from_db()
    assert plans.subscription.current_period_end == instant("2027-01-11T12:00")
    # 310 * 20.5 / 31 are taken back, all of the new ones are granted.
    assert await world.balance(plans.customer, plans.meter) == (0, 310 - 205 + 1000)
    await world.change(plans.subscription, "2026-03-01", plans.pro, when=LATER)
    await world.cycle("2027-01-11T12:00")
    await plans.subscription.refresh_from_db()
    assert plans.subscription.current_period_end == instant("2027-02-11T12:00")
    assert (await world.invoices())[-1].amounts == [0, 3100]


async def test_late_events_before_and_after_a_cut(world: World, plans: Plans) -> None:
    await world.change(plans.subscription, "2026-01-11", plans.scale)
    # 310 - 210 + 420.
    assert await world.balance(plans.customer, plans.meter) == (0, 520)
    await world.use(plans.customer, ("2026-01-10", 150))
    await world.cycle("2026-01-12")
    # As if they had come in time: 160 were left, of which 160 could be taken back.
    assert await world.balance(plans.customer, plans.meter) == (0, 420)
    await world.use(plans.customer, ("2026-01-10", 200), ("2026-01-12", 30))
    await world.cycle("2026-01-13")
    assert await world.balance(plans.customer, plans.meter) == (30, 420)
    await world.cycle("2026-02-01")
    last = (await world.invoices())[-1]
    # 40 units above the 310 by the old price.
    assert (last.kinds, last.amounts) == (["METERED", "CORRECTION", "FIXED"], [0, 400, 6200])
    entries = await world.ledger(plans.customer, plans.meter)
    assert sum(units for _kind, units in entries) == 390 + 620


async def test_changes_at_the_boundaries_of_periods(world: World, plans: Plans) -> None:
    """At its first instant, a whole period is swapped. At its end, the next one is."""
    invoice = await world.change(plans.subscription, "2026-01-01", plans.scale)
    assert invoice is not None
    assert invoice.amounts == [0, -3100, 6200]
    assert await world.balance(plans.customer, plans.meter) == (0, 620)
    invoice = await world.change(plans.subscription, "2026-02-01", plans.pro)
    assert invoice is not None
    assert invoice.amounts == [0, -6200, 3100]
    assert [one.amounts for one in await world.invoices()][2] == [0, 6200]
    invoice = await world.change(plans.subscription, "2026-02-28T23:59:59.999999", plans.scale)
    assert invoice is not None
    assert invoice.amounts == [0, 0, 0]


async def test_a_change_at_the_periods_end(world: World, plans: Plans) -> None:
    await listen(world.id, "subscription.changed")
    assert await world.change(plans.subscription, "2026-01-05", plans.scale, when=LATER) is None
    await world.change(plans.subscription, "2026-01-06", plans.scale, 5, when=LATER)
    await plans.subscription.refresh_from_db()
    assert (plans.subscription.pending_product_id, plans.subscription.pending_quantity) == (
        plans.scale.id,
        5,
    )
    estimate = (await upcoming_invoices(world.id, [plans.subscription.id]))[plans.subscription.id]
    assert [line.amount for line in estimate.lines] == [0, 31000]
    await world.cycle("2026-02-01")
    assert (await world.invoices())[-1].amounts == [0, 31000]
    await plans.subscription.refresh_from_db()
    assert (plans.subscription.quantity, plans.subscription.pending_product_id) == (5, None)
    assert await happened(world.id) == [("subscription.changed", plans.subscription.id)] * 3


async def test_a_pending_change_is_dropped(world: World, plans: Plans) -> None:
    other = await world.meter(name="storage")
    stored = await world.product(world.fixed(5), world.per_unit(other))
    await world.change(plans.subscription, "2026-01-05", stored, when=LATER)
    with pytest.raises(RefusedError, match="another subscription"):
        await world.subscribe(plans.customer, stored, "2026-01-06")
    for _ in range(2):
        with clock.at(instant("2026-01-07")):
            await cancel_change(world.id, plans.subscription.id)
    # Its meter is free again, and the subscription's own is not.
    await world.subscribe(plans.customer, stored, "2026-01-08")
    with pytest.raises(RefusedError, match="another subscription"):
        await world.subscribe(plans.customer, plans.scale, "2026-01-09")
    await world.cycle("2026-02-01")
    assert (await world.invoices(plans.subscription))[-1].amounts == [0, 3100]


async def test_a_cancellation_drops_a_pending_change(world: World, plans: Plans) -> None:
    await world.change(plans.subscription, "2026-01-05", plans.scale, when=LATER)
    canceled = await world.cancel(plans.subscription, "2026-01-06", LATER)
    assert canceled.pending_product_id is None
    with pytest.raises(RefusedError, match="Resume it first") as refused:
        await world.change(plans.subscription, "2026-01-07", plans.scale, when=LATER)
    assert refused.value.problems[0].path == ("when",)
    await world.change(plans.subscription, "2026-01-11", plans.scale)
    await world.cycle("2026-02-01")
    await plans.subscription.refresh_from_db()
    assert plans.subscription.status == "CANCELED"


async def test_a_change_in_a_trial_costs_nothing(world: World, plans: Plans) -> None:
    customer = await world.customer("new")
    trial = await world.subscribe(customer, plans.pro, "2026-01-01", trial_ends_at="2026-01-11")
    await world.use(customer, ("2026-01-02", 100))
    invoice = await world.change(trial, "2026-01-06", plans.scale, 2)
    assert invoice is not None
    assert (invoice.kinds, invoice.amounts) == (["METERED"], [0])
    await trial.refresh_from_db()
    assert (trial.status, trial.current_period_end) == ("TRIALING", instant("2026-01-11"))
    # 210 - 155 stay, 310 are granted.
    assert await world.balance(customer, plans.meter) == (0, 55 + 310)
    await world.cycle("2026-01-11")
    assert (await world.invoices(trial))[-1].amounts == [0, 12400]


async def test_a_scheduled_subscription_starts_with_what_it_was_changed_to(
    world: World, plans: Plans
) -> None:
    customer = await world.customer("new")
    scheduled = await world.subscribe(customer, plans.pro, "2026-01-01", "2026-02-01")
    for when in CancelWhen:
        quantity = 2 if when is LATER else 3
        assert await world.change(scheduled, "2026-01-10", plans.scale, quantity, when) is None
    await world.cycle("2026-02-01")
    assert [one.amounts for one in await world.invoices(scheduled)] == [[18600]]


async def test_meters_that_come_and_go_with_a_change(world: World, plans: Plans) -> None:
    other = await world.meter(name="storage")
    stored = await world.product(
        world.fixed(3100), world.per_unit(other), benefits=[await world.benefit(other, 31)]
    )
    await world.send(plans.customer, ("2026-01-05", 9), ("2026-01-12", 10), name="storage")
    await world.use(plans.customer, ("2026-01-05", 60))
    await world.change(plans.subscription, "2026-01-11", stored)
    assert await world.balance(plans.customer, other) == (10, 21)
    # What is left of the time that was served.
    assert await world.balance(plans.customer, plans.meter) == (0, 40)
    shown = await CustomerMeter.get(organization_id=world.id, meter_id=plans.meter.id)
    assert (shown.period_start, shown.period_end) == (instant("2026-01-11"), None)
    await world.subscribe(plans.customer, plans.scale, "2026-01-15")
    assert await world.balance(plans.customer, plans.meter) == (0, 620)

"""Trials, quantities and scheduled starts, from the first day on."""

from decimal import Decimal

import pytest

from billing.invoicing.estimates import upcoming_invoices
from billing.subscriptions.life import CancelWhen
from metering.problems import RefusedError
from models import Customer, CustomerMeter, CustomerSubscription
from tests.billing.world import World, instant
from tests.outbox import happened, listen


async def customer_of(usage: CustomerMeter) -> Customer:
    return await Customer.get(organization_id=usage.organization_id, id=usage.customer_id)


async def trying(world: World) -> tuple[CustomerSubscription, CustomerMeter]:
    """A customer that tries a product for 14 days from January 20 on, and has used 130 units."""
    customer, meter = await world.customer(), await world.meter()
    benefit = await world.benefit(meter, 100)
    product = await world.product(
        world.fixed(2000), world.per_unit(meter), benefits=[benefit], trial_days=14
    )
    subscription = await world.subscribe(customer, product, "2026-01-20T10:00")
    await world.use(customer, ("2026-01-25", 130))
    return subscription, await CustomerMeter.get(organization_id=world.id)


async def test_a_trial_is_free_and_the_first_paid_period_begins_at_its_end(world: World) -> None:
    subscription, usage = await trying(world)
    assert (subscription.status, subscription.current_period_end) == (
        "TRIALING",
        instant("2026-02-03T10:00"),
    )
    assert (usage.consumed, usage.credited) == (Decimal(130), Decimal(100))
    assert await world.invoices() == []

    await world.cycle("2026-02-03T09:59:59")
    assert await world.invoices() == []
    await world.cycle("2026-02-03T10:00")
    await subscription.refresh_from_db()
    assert (subscription.status, subscription.current_period_start) == (
        "ACTIVE",
        instant("2026-02-03T10:00"),
    )
    assert subscription.current_period_end == instant("2026-03-03T10:00")
    [first] = await world.invoices()
    assert (first.kinds, first.amounts) == (["METERED", "FIXED"], [0, 2000])
    assert (first.lines[0].consumed, first.lines[0].billable) == (130, 30)
    await world.cycle("2026-03-03T10:00")
    assert (await world.invoices())[1].amounts == [0, 2000]


async def test_late_usage_of_a_trial_is_shown_and_costs_nothing(world: World) -> None:
    subscription, usage = await trying(world)
    await world.cycle("2026-02-04")
    customer = await customer_of(usage)
    await world.use(customer, ("2026-01-26", 50))
    await world.cycle("2026-03-03T10:00")
    second = (await world.invoices(subscription))[1]
    assert (second.kinds, second.amounts) == (["METERED", "CORRECTION", "FIXED"], [0, 0, 2000])
    assert second.lines[1].consumed == 50


@pytest.mark.parametrize("when", CancelWhen)
async def test_nothing_is_billed_if_it_is_canceled_in_the_trial(
    world: World, when: CancelWhen
) -> None:
    subscription, usage = await trying(world)
    await world.cancel(subscription, "2026-01-28", when)
    estimates = await upcoming_invoices(world.id, [subscription.id])
    assert [line for one in estimates.values() for line in one.lines] == []
    await world.cycle("2026-02-10")
    await subscription.refresh_from_db()
    ended = "2026-01-28" if when is CancelWhen.NOW else "2026-02-03T10:00"
    assert (subscription.status, subscription.ended_at) == ("CANCELED", instant(ended))
    await world.use(await customer_of(usage), ("2026-01-26", 50))
    await world.cycle("2026-02-11")
    await world.cycle("2026-06-11")
    assert await world.invoices() == []
    waiting = await world.query(
        "SELECT id FROM metered_period WHERE organization_id = $1 AND needs_correction"
    )
    assert waiting == []


async def test_a_cancellation_is_taken_back(world: World) -> None:
    _customer, _meter, subscription = await world.subscribed(fixed=2000)
    for _ in range(2):
        await world.cancel(subscription, "2026-01-10", CancelWhen.PERIOD_END)
    for _ in range(2):
        resumed = await world.resume(subscription, "2026-01-31T23:59:59.999999")
        assert not resumed.cancel_at_period_end
    await world.cycle("2026-02-01")
    assert [invoice.amounts for invoice in await world.invoices()] == [[2000], [0, 2000]]
    await world.cancel(subscription, "2026-02-10", CancelWhen.PERIOD_END)
    with pytest.raises(RefusedError, match="already ended"):
        await world.resume(subscription, "2026-03-01")


async def test_a_trial_can_be_given_shortened_and_left_out(world: World) -> None:
    product = await world.product(world.fixed(2000), trial_days=14)
    own = await world.subscribe(
        await world.customer("own"), product, "2026-01-01", trial_ends_at="2026-01-05"
    )
    none = await world.subscribe(
        await world.customer("none"), product, "2026-01-01", trial_ends_at="2026-01-01"
    )
    imported = await world.subscribe(
        await world.customer("imported"), product, "2026-03-10", "2026-01-01"
    )
    assert (own.status, own.current_period_end) == ("TRIALING", instant("2026-01-05"))
    assert (none.status, none.trial_ends_at) == ("ACTIVE", None)
    # Paid periods are counted from the end of the trial.
    assert (imported.status, imported.current_period_start) == ("ACTIVE", instant("2026-02-15"))
    with pytest.raises(RefusedError, match="at most 730 days"):
        await world.subscribe(
            await world.customer("long"), product, "2026-01-01", trial_ends_at="2028-01-02"
        )


async def test_a_trial_can_be_given_in_days(world: World) -> None:
    product = await world.product(world.fixed(2000), trial_days=14)
    short = await world.subscribe(
        await world.customer("short"), product, "2026-01-01", trial_days=3
    )
    later = await world.subscribe(
        await world.customer("later"), product, "2026-01-01", "2026-02-01", trial_days=7
    )
    none = await world.subscribe(await world.customer("none"), product, "2026-01-01", trial_days=0)
    assert (short.status, short.current_period_end) == ("TRIALING", instant("2026-01-04"))
    assert (later.status, later.trial_ends_at) == ("SCHEDULED", instant("2026-02-08"))
    assert (none.status, none.trial_ends_at) == ("ACTIVE", None)


async def test_a_quantity_multiplies_fixed_prices(world: World) -> None:
    meter = await world.meter()
    product = await world.product(world.fixed(2000), world.fixed(5), world.per_unit(meter))
    customer = await world.customer()
    subscription = await world.subscribe(customer, product, "2026-01-01", quantity=3)
    await world.use(customer, ("2026-01-10", 7))
    await world.cycle("2026-02-01")
    first, second = await world.invoices()
    assert (first.amounts, second.amounts) == ([6000, 15], [7, 6000, 15])
    assert first.lines[0].description == "AI plan × 3"  # noqa: RUF001
    estimate = (await upcoming_invoices(world.id, [subscription.id]))[subscription.id]
    assert estimate.total == 6015
    other = await world.customer("other")
    for quantity, code in ((0, "INVALID"), (-1, "INVALID"), (1_000_001, "LIMIT_EXCEEDED")):
        with pytest.raises(RefusedError) as refused:
            await world.subscribe(other, product, "2026-01-01", quantity=quantity)
        assert [(p.code, p.path) for p in refused.value.problems] == [(code, ("quantity",))]
    large = await world.product(world.fixed(10**15))
    with pytest.raises(RefusedError, match="too large to be invoiced"):
        await world.subscribe(other, large, "2026-01-01", quantity=10)


async def test_a_scheduled_subscription_starts_when_it_is_said_to(world: World) -> None:
    customer, meter = await world.customer(), await world.meter()
    benefit = await world.benefit(meter, 100)
    product = await world.product(world.fixed(2000), world.per_unit(meter), benefits=[benefit])
    subscription = await world.subscribe(customer, product, "2026-01-01", "2026-02-01")
    start = instant("2026-02-01")
    assert subscription.status == "SCHEDULED"
    assert (subscription.current_period_start, subscription.current_period_end) == (start, start)
    # It holds its meters, and usage before its start is not billed.
    with pytest.raises(RefusedError, match="another subscription"):
        await world.subscribe(customer, product, "2026-01-02")
    await world.use(customer, ("2026-01-10", 500))
    estimate = (await upcoming_invoices(world.id, [subscription.id]))[subscription.id]
    assert [(line.kind, line.amount) for line in estimate.lines] == [("FIXED", 2000)]
    await world.cycle("2026-01-31T23:59:59")
    assert await world.invoices() == []
    # The worker was down when it began.
    await world.cycle("2026-03-02")
    await subscription.refresh_from_db()
    assert (subscription.status, subscription.current_period_start) == (
        "ACTIVE",
        instant("2026-03-01"),
    )
    assert [invoice.amounts for invoice in await world.invoices()] == [[2000], [0, 2000]]
    assert await world.balance(customer, meter) == (0, 100)


async def test_a_scheduled_trial(world: World) -> None:
    product = await world.product(world.fixed(2000), trial_days=10)
    subscription = await world.subscribe(
        await world.customer(), product, "2026-01-01", "2026-02-01"
    )
    await world.cycle("2026-02-01")
    await subscription.refresh_from_db()
    assert (subscription.status, subscription.current_period_end) == (
        "TRIALING",
        instant("2026-02-11"),
    )
    await world.cycle("2026-02-11")
    assert [invoice.amounts for invoice in await world.invoices()] == [[2000]]


@pytest.mark.parametrize("when", CancelWhen)
async def test_a_scheduled_subscription_is_withdrawn(world: World, when: CancelWhen) -> None:
    customer, meter = await world.customer(), await world.meter()
    product = await world.product(world.fixed(2000), world.per_unit(meter), trial_days=10)
    scheduled = await world.subscribe(customer, product, "2026-01-01", "2026-02-01")
    withdrawn = await world.cancel(scheduled, "2026-01-10", when)
    assert (withdrawn.status, withdrawn.ended_at) == ("CANCELED", instant("2026-01-10"))
    await world.subscribe(customer, product, "2026-01-11", trial_ends_at="2026-01-11")
    await world.cycle("2026-02-02")
    assert [invoice.amounts for invoice in await world.invoices()] == [[2000]]


async def test_a_cancellation_gives_back_what_is_left_of_the_fixed_price(world: World) -> None:
    meter = await world.meter()
    product = await world.product(world.fixed(1000), world.per_unit(meter))
    customer = await world.customer()
    subscription = await world.subscribe(customer, product, "2026-01-01", quantity=3)
    await world.use(customer, ("2026-01-10", 7))
    # Ten of 31 days are left: 967.74….
    await world.cancel(subscription, "2026-01-22", prorate=True)
    last = (await world.invoices())[-1]
    assert (last.kinds, last.amounts) == (["METERED", "PRORATION"], [7, -968])
    assert last.lines[1].description == "Unused time of AI plan × 3"  # noqa: RUF001
    assert (last.lines[1].period_start, last.lines[1].period_end) == (
        instant("2026-01-22"),
        instant("2026-02-01"),
    )
    assert last.invoice.total == -961


async def test_the_end_of_a_trial_is_announced_once_three_days_before(world: World) -> None:
    subscription, _usage = await trying(world)
    await listen(world.id, "subscription.trial_ending")
    await world.cycle("2026-01-31T09:59:59")
    assert await happened(world.id) == []
    for at in ("2026-01-31T10:00", "2026-02-01", "2026-02-04"):
        await world.cycle(at)
    assert await happened(world.id) == [("subscription.trial_ending", subscription.id)]

"""Discounts of subscriptions that change, end, are tried or begin later."""

from decimal import Decimal

from billing.catalog.prices import MeteredDraft
from billing.periods.intervals import RecurringInterval
from billing.rating.schemes import Pricing, Tier
from models import Customer, CustomerSubscription, Product, SubscriptionPeriod
from tests.billing.discounted import customer, discounts, product, said, subscription
from tests.billing.world import World

__all__ = ["customer", "product", "subscription"]  # fixtures


async def test_a_change_gives_back_what_was_paid_and_not_more(
    world: World, customer: Customer, subscription: CustomerSubscription
) -> None:
    await world.discount(subscription, "2026-01-02", percent=50, periods=1)
    await world.cycle("2026-02-01")
    # February is paid with the discount, which is over since.
    invoice = await world.change(subscription, "2026-02-15", quantity=2)
    assert invoice is not None
    assert said(invoice) == [
        ("METERED", 0),
        ("PRORATION", -1_550),
        ("DISCOUNT", 775),
        ("PRORATION", 3_100),
    ]


async def test_canceling_gives_back_what_was_paid_and_not_more(
    world: World, subscription: CustomerSubscription
) -> None:
    await world.discount(subscription, "2026-01-02", amount=2_000)
    await world.cycle("2026-02-01")
    await world.cancel(subscription, "2026-02-15", prorate=True)
    last = (await world.invoices())[-1]
    # Half of the price, less half of the amount.
    assert said(last) == [("METERED", 0), ("PRORATION", -1_550), ("DISCOUNT", 1_000)]


async def test_changes_in_a_period_do_not_multiply_an_amount(
    world: World, subscription: CustomerSubscription
) -> None:
    await world.discount(subscription, "2026-01-02", amount=1_000, periods=2)
    await world.cycle("2026-02-01")
    for day, quantity in (("08", 2), ("15", 1), ("22", 2)):
        preview = await world.preview(subscription, f"2026-02-{day}", quantity=quantity)
        invoice = await world.change(subscription, f"2026-02-{day}", quantity=quantity)
        assert invoice is not None
        assert [(line.kind, int(line.amount)) for line in preview.lines] == said(invoice)
    await world.cycle("2026-03-01")
    # Of the second half, as much is given back as is taken off again.
    assert await discounts(world) == [-1_000, 0, 0, 0, -1_000]


async def test_a_period_of_another_interval_counts_as_the_next_one(
    world: World, subscription: CustomerSubscription
) -> None:
    meter = await world.meter(name="other")
    yearly = await world.product(
        world.fixed(30_000), world.per_unit(meter), interval=RecurringInterval.YEAR, name="Yearly"
    )
    await world.discount(subscription, "2026-01-02", percent=10, periods=1)
    invoice = await world.change(subscription, "2026-01-16T12:00", yearly)
    assert invoice is not None
    # January was paid without a discount.
    assert said(invoice) == [
        ("METERED", 0),
        ("PRORATION", -1_550),
        ("FIXED", 30_000),
        ("DISCOUNT", -3_000),
    ]
    assert (await CustomerSubscription.get(id=subscription.id)).discount is None


async def test_the_first_paid_period_after_a_trial_counts(
    world: World, customer: Customer, product: Product
) -> None:
    subscription = await world.subscribe(customer, product, "2026-01-01", trial_days=10)
    await world.discount(subscription, "2026-01-02", percent=100, periods=1)
    await world.cycle("2026-01-11")
    await world.cycle("2026-02-11")
    assert [invoice.invoice.total for invoice in await world.invoices()] == [0, 3_100]


async def test_a_trial_that_nothing_follows_in_advance_does_not_count(
    world: World, customer: Customer
) -> None:
    product = await world.product(world.per_unit(await world.meter()))
    subscription = await world.subscribe(customer, product, "2026-01-01", trial_days=10)
    await world.discount(subscription, "2026-01-02", percent=50, periods=1)
    await world.use(customer, ("2026-01-20", 100), ("2026-02-20", 100))
    await world.cycle("2026-03-11")
    assert [invoice.invoice.total for invoice in await world.invoices()] == [0, 50, 100]


async def test_a_scheduled_subscription_starts_with_its_discount(
    world: World, customer: Customer, product: Product
) -> None:
    subscription = await world.subscribe(customer, product, "2026-01-01", "2026-01-10")
    await world.discount(subscription, "2026-01-02", percent=20, periods=1)
    await world.cycle("2026-01-10")
    [invoice] = await world.invoices()
    assert said(invoice) == [("FIXED", 3_100), ("DISCOUNT", -620)]


async def test_changes_at_one_instant_are_discounted_once_each(
    world: World, customer: Customer
) -> None:
    """As after the clock was set back: each change ends a period that has only just begun."""
    tiers = (Tier(None, Decimal(1), 1_000),)
    due_at_zero = {"tiers": tiers, "bills_flat_amount_at_zero": True}
    meter = await world.meter()
    product = await world.product(MeteredDraft("USD", meter.id, Pricing.GRADUATED, due_at_zero))
    subscription = await world.subscribe(customer, product, "2026-01-01")
    await world.discount(subscription, "2026-01-01", percent=50)

    for quantity in (2, 3, 4):
        invoice = await world.change(subscription, "2026-01-01", quantity=quantity)
        assert invoice is not None
        assert said(invoice) == [("METERED", 1_000), ("DISCOUNT", -500)]
    await world.cancel(subscription, "2026-01-01")

    assert said((await world.invoices())[-1]) == [("METERED", 1_000), ("DISCOUNT", -500)]
    periods = SubscriptionPeriod.filter(subscription_id=subscription.id).order_by("period_index")
    instants = [(row.starts_at, row.ends_at) for row in await periods]
    assert len(set(instants)) == len(instants) == 4

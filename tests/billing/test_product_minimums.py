"""The minimum of a product: a line for what the usage of all its prices costs less."""

from typing import Any

import pytest

from billing.catalog.prices import FixedDraft
from billing.invoicing.estimates import upcoming_invoices
from billing.periods.intervals import RecurringInterval
from metering.language.aggregations import AggregationFunction
from metering.problems import RefusedError
from models import Customer, CustomerSubscription, Meter, Product
from tests.billing.world import BilledInvoice, World


@pytest.fixture
async def customer(world: World) -> Customer:
    return await world.customer()


@pytest.fixture
async def meters(world: World) -> tuple[Meter, Meter]:
    return await world.meter(), await world.meter(AggregationFunction.COUNT)


@pytest.fixture
async def product(world: World, meters: tuple[Meter, Meter]) -> Product:
    """$5 in advance, a cent a token, $2 an event; usage of at least $10 a month."""
    tokens, events = meters
    prices = (world.fixed(500), world.per_unit(tokens), world.per_unit(events, 200))
    return await world.product(*prices, minimum=1_000)


@pytest.fixture
async def subscription(world: World, customer: Customer, product: Product) -> CustomerSubscription:
    return await world.subscribe(customer, product, "2026-01-01")


def said(invoice: BilledInvoice) -> list[tuple[str, int]]:
    return list(zip(invoice.kinds, invoice.amounts, strict=True))


async def test_a_period_that_costs_less_has_a_line_for_the_difference(
    world: World, customer: Customer, subscription: CustomerSubscription
) -> None:
    await world.use(customer, ("2026-01-05", 150))
    estimate = (await upcoming_invoices(world.id, [subscription.id]))[subscription.id]
    await world.cycle("2026-02-01")
    invoice = (await world.invoices())[-1]
    expected = [("METERED", 150), ("METERED", 200), ("MINIMUM", 650), ("FIXED", 500)]
    assert sorted(said(invoice)) == sorted(expected)
    assert [(line.kind, line.amount) for line in estimate.lines] == said(invoice)
    [minimum] = [line for line in invoice.lines if line.kind == "MINIMUM"]
    assert (minimum.consumed, minimum.billable) == (None, None)


async def test_it_is_due_without_usage_and_not_due_beyond_it(
    world: World, customer: Customer, subscription: CustomerSubscription
) -> None:
    await world.cycle("2026-02-01")
    await world.use(customer, ("2026-02-05", 2_000))
    await world.cycle("2026-03-01")
    _first, january, february = await world.invoices(subscription)
    assert said(january) == [("METERED", 0), ("METERED", 0), ("MINIMUM", 1_000), ("FIXED", 500)]
    assert sorted(said(february)) == [("FIXED", 500), ("METERED", 200), ("METERED", 2_000)]


async def test_late_usage_takes_back_as_much_of_the_minimum(
    world: World, customer: Customer, subscription: CustomerSubscription
) -> None:
    await world.use(customer, ("2026-01-05", 150))
    await world.cycle("2026-02-01")
    await world.use(customer, ("2026-01-06", 250), ("2026-02-02", 5_000))
    await world.cycle("2026-03-01")
    await world.use(customer, ("2026-01-07", 700), ("2026-03-02", 5_000))
    await world.cycle("2026-04-01")
    invoices = (await world.invoices(subscription))[2:]
    corrections: list[Any] = [
        [amount for kind, amount in said(invoice) if kind == "CORRECTION"] for invoice in invoices
    ]
    # 250 tokens and an event, and as much less to the minimum; then 900, of which 200 were due.
    assert [sorted(amounts) for amounts in corrections] == [[-450, 200, 250], [-200, 200, 700]]


async def test_the_parts_of_a_period_have_their_shares(
    world: World, customer: Customer, subscription: CustomerSubscription
) -> None:
    preview = await world.preview(subscription, "2026-01-11", quantity=2)
    invoice = await world.change(subscription, "2026-01-11", quantity=2)
    assert invoice is not None
    # 1000 * 10 / 31 and 1000 * 21 / 31.
    assert ("MINIMUM", 323) in said(invoice)
    assert [(line.kind, int(line.amount)) for line in preview.lines] == said(invoice)
    await world.use(customer, ("2026-01-20", 50))
    await world.cycle("2026-02-01")
    assert ("MINIMUM", 677 - 250) in said((await world.invoices())[-1])


async def test_a_change_of_the_product_ends_the_minimum(
    world: World, meters: tuple[Meter, Meter], subscription: CustomerSubscription
) -> None:
    other = await world.product(world.per_unit(meters[0]), name="Without")
    invoice = await world.change(subscription, "2026-01-16T12:00", other)
    assert invoice is not None
    assert ("MINIMUM", 500) in said(invoice)
    await world.cycle("2026-02-01")
    assert said((await world.invoices())[-1]) == [("METERED", 0)]


async def test_a_trial_has_none_and_a_cancellation_keeps_all_of_it(
    world: World, customer: Customer, product: Product
) -> None:
    subscription = await world.subscribe(customer, product, "2026-01-01", trial_days=10)
    await world.cycle("2026-01-11")
    await world.cancel(subscription, "2026-01-12", prorate=True)
    trial, last = await world.invoices()
    assert "MINIMUM" not in trial.kinds
    assert ("MINIMUM", 1_000) in said(last)


async def test_every_usage_period_of_a_year_has_one(
    world: World, customer: Customer, meters: tuple[Meter, Meter]
) -> None:
    yearly = await world.product(
        world.fixed(9_000),
        world.per_unit(meters[0]),
        interval=RecurringInterval.YEAR,
        usage_interval=RecurringInterval.MONTH,
        minimum=300,
    )
    await world.subscribe(customer, yearly, "2026-01-01")
    await world.cycle("2026-03-01")
    invoices = await world.invoices()
    assert [said(invoice) for invoice in invoices[1:]] == [[("METERED", 0), ("MINIMUM", 300)]] * 2


async def test_a_voided_invoice_is_billed_again_with_its_minimum(
    world: World, customer: Customer, subscription: CustomerSubscription
) -> None:
    await world.use(customer, ("2026-01-05", 150))
    await world.cycle("2026-02-01")
    await world.void((await world.invoices())[-1].invoice, "2026-02-02")
    await world.use(customer, ("2026-01-06", 250), ("2026-02-02", 5_000))
    await world.cycle("2026-03-01")
    again = (await world.invoices(subscription))[-1]
    january = [line for line in again.lines if line.period_end.month == 2 and line.kind != "FIXED"]
    # 400 tokens and two events are 800; 200 are missing.
    assert sum(line.amount for line in january) == 1_000
    assert again.invoice.total == 1_000 + 500 + 5_200 + 500


async def test_a_draft_says_what_is_issued(
    world: World, customer: Customer, subscription: CustomerSubscription
) -> None:
    await world.grace(48)
    await world.use(customer, ("2026-01-05", 150))
    await world.cycle("2026-02-01")
    await world.use(customer, ("2026-01-06", 50))
    [(_draft, estimate)] = await world.drafts()
    drafted = [(line.kind, line.amount) for line in estimate.lines]
    upcoming = (await upcoming_invoices(world.id, [subscription.id]))[subscription.id]
    await world.cycle("2026-02-03")
    issued = (await world.invoices())[-1]
    assert drafted == said(issued)
    assert ("MINIMUM", 400) in drafted
    # The next one has the minimum of February.
    assert ("MINIMUM", 1_000) in [(line.kind, line.amount) for line in upcoming.lines]


async def test_a_minimum_needs_usage_to_be_the_minimum_of(world: World) -> None:
    with pytest.raises(RefusedError) as refused:
        await world.product(FixedDraft("USD", 5), minimum=10)
    assert [problem.path for problem in refused.value.problems] == [("minimumAmount",)]
    with pytest.raises(RefusedError):
        await world.product(world.per_unit(await world.meter()), minimum=-1)

"""Minimums of prices, flat amounts without usage, and converted units, on invoices."""

from decimal import Decimal

from billing.catalog.prices import MeteredDraft
from billing.invoicing.estimates import upcoming_invoices
from billing.rating.conversion import Conversion, RoundingMode
from billing.rating.schemes import Pricing, Tier
from billing.subscriptions.life import CancelWhen
from metering.language.aggregations import AggregationFunction
from models import Customer, CustomerSubscription, Meter, Product
from tests.billing.world import World

HALF_A_CENT = {"unit_amount": Decimal("0.5")}


async def with_minimum(world: World) -> tuple[Customer, Meter, Product]:
    """A plan of half a cent a unit, at least $10 a month."""
    customer, meter = await world.customer(), await world.meter()
    price = MeteredDraft("USD", meter.id, parameters=HALF_A_CENT, minimum_amount=1_000)
    return customer, meter, await world.product(price)


async def subscribed(world: World, price: MeteredDraft, customer: Customer) -> CustomerSubscription:
    return await world.subscribe(customer, await world.product(price), "2026-01-01")


async def test_a_minimum_is_due_without_usage_and_without_events(world: World) -> None:
    customer, _meter, product = await with_minimum(world)
    subscription = await world.subscribe(customer, product, "2026-01-01")
    estimate = (await upcoming_invoices(world.id, [subscription.id]))[subscription.id]
    await world.cycle("2026-02-01")
    [invoice] = await world.invoices()
    assert (invoice.kinds, invoice.amounts, invoice.invoice.total) == (["METERED"], [1_000], 1_000)
    assert [line.amount for line in estimate.lines] == [1_000]


async def test_late_usage_costs_only_what_exceeds_the_minimum(world: World) -> None:
    customer, _meter, product = await with_minimum(world)
    await world.subscribe(customer, product, "2026-01-01")
    await world.use(customer, ("2026-01-05", 600))
    await world.cycle("2026-02-01")
    await world.use(customer, ("2026-01-06", 800))
    await world.cycle("2026-03-01")
    await world.use(customer, ("2026-01-07", 1_000))
    await world.cycle("2026-04-01")
    first, second, third = await world.invoices()
    assert first.amounts == [1_000]
    # 700 is still less than the minimum: the line shows the units, and no amount.
    assert (second.kinds, second.amounts) == (["METERED", "CORRECTION"], [1_000, 0])
    assert second.lines[1].billable == 800
    assert (third.kinds, third.amounts) == (["METERED", "CORRECTION"], [1_000, 200])


async def test_the_parts_of_a_period_have_their_shares_of_the_minimum(world: World) -> None:
    customer, _meter, product = await with_minimum(world)
    subscription = await world.subscribe(customer, product, "2026-01-01")
    await world.use(customer, ("2026-01-05", 100), ("2026-01-20", 5_000))
    preview = await world.preview(subscription, "2026-01-11", quantity=2)
    invoice = await world.change(subscription, "2026-01-11", quantity=2)
    assert invoice is not None
    # 1000 * 10 / 31. The other part is beyond its share of 1000 * 21 / 31.
    assert invoice.amounts == [323] == [int(line.amount) for line in preview.lines]
    await world.cycle("2026-02-01")
    assert (await world.invoices())[-1].amounts == [2_500]


async def test_a_trial_costs_nothing_and_is_no_part_of_a_minimum(world: World) -> None:
    customer, _meter, product = await with_minimum(world)
    await world.subscribe(customer, product, "2026-01-01", trial_days=14)
    await world.cycle("2026-01-15")
    await world.cycle("2026-02-15")
    assert [invoice.amounts for invoice in await world.invoices()] == [[0], [1_000]]


async def test_a_voided_minimum_is_billed_again(world: World) -> None:
    customer, _meter, product = await with_minimum(world)
    await world.subscribe(customer, product, "2026-01-01")
    await world.cycle("2026-02-01")
    [invoice] = await world.invoices()
    await world.void(invoice.invoice, "2026-02-02")
    await world.use(customer, ("2026-01-06", 3_000))
    await world.cycle("2026-03-01")
    assert sorted((await world.invoices())[-1].amounts) == [1_000, 1_500]


async def test_credit_does_not_pay_a_minimum(world: World) -> None:
    customer, meter = await world.customer(), await world.meter()
    price = MeteredDraft("USD", meter.id, parameters=HALF_A_CENT, minimum_amount=1_000)
    product = await world.product(price, benefits=[await world.benefit(meter, 9_000)])
    await world.subscribe(customer, product, "2026-01-01")
    await world.use(customer, ("2026-01-05", 5_000))
    await world.cycle("2026-02-01")
    [invoice] = await world.invoices()
    assert (invoice.lines[0].billable, invoice.amounts) == (0, [1_000])


async def test_a_minimum_in_a_currency_without_minor_units(world: World) -> None:
    customer, meter = await world.customer(), await world.meter()
    third = {"unit_amount": Decimal("0.333333333333")}
    price = MeteredDraft("JPY", meter.id, parameters=third, minimum_amount=100)
    subscription = await subscribed(world, price, customer)
    await world.use(customer, ("2026-01-05", 100))
    invoice = await world.change(subscription, "2026-01-16T12:00", quantity=2)
    assert invoice is not None
    assert (invoice.invoice.currency, invoice.amounts) == ("JPY", [50])
    await world.cycle("2026-02-01")
    assert (await world.invoices())[-1].amounts == [50]


async def test_the_first_flat_amount_may_be_due_without_usage(world: World) -> None:
    meter = await world.meter(AggregationFunction.COUNT)
    tiers = [Tier(Decimal(2), Decimal(0), 300), Tier(None, Decimal(50))]
    for pricing in (Pricing.GRADUATED, Pricing.VOLUME):
        customer = await world.customer(pricing)
        parameters = {"tiers": tiers, "bills_flat_amount_at_zero": True}
        price = MeteredDraft("USD", meter.id, pricing, parameters)
        subscription = await subscribed(world, price, customer)
        await world.cycle("2026-02-01")
        await world.cancel(subscription, "2026-02-02", CancelWhen.NOW)
        amounts = [invoice.amounts for invoice in await world.invoices(subscription)]
        assert amounts == [[300], [300]]


async def test_lines_say_the_units_of_the_meter_and_those_of_the_price(world: World) -> None:
    customer, meter = await world.customer(), await world.meter()
    millions = Conversion(Decimal(1_000_000), RoundingMode.UP, 1)
    price = MeteredDraft(
        "USD", meter.id, parameters={"unit_amount": Decimal(200)}, conversion=millions
    )
    subscription = await subscribed(world, price, customer)
    await world.use(customer, ("2026-01-05", 1_234_567))
    estimate = (await upcoming_invoices(world.id, [subscription.id]))[subscription.id]
    assert [(line.converted, line.amount) for line in estimate.lines] == [(Decimal("1.3"), 260)]
    await world.cycle("2026-02-01")
    await world.use(customer, ("2026-01-06", 65_433), ("2026-01-07", 2))
    await world.cycle("2026-03-01")
    first, second = await world.invoices()
    [line] = first.lines
    assert (line.billable, line.converted, line.amount) == (1_234_567, Decimal("1.3"), 260)
    metered, correction = second.lines
    assert (metered.billable, metered.converted, metered.amount) == (0, 0, 0)
    # 1,300,002 units are 1.4 million.
    assert (correction.billable, correction.converted, correction.amount) == (
        65_435,
        Decimal("0.1"),
        20,
    )


async def test_digits_beyond_any_float_are_converted_exactly(world: World) -> None:
    customer, meter = await world.customer(), await world.meter()
    thirds = Conversion(Decimal(3) * 10**24)
    price = MeteredDraft("USD", meter.id, parameters={"unit_amount": Decimal(3)}, conversion=thirds)
    await subscribed(world, price, customer)
    await world.use(customer, ("2026-01-05", 10**29 + 1))
    await world.cycle("2026-02-01")
    [invoice] = await world.invoices()
    assert invoice.amounts == [100_000]
    assert invoice.lines[0].billable == 10**29 + 1
    assert invoice.lines[0].converted == Decimal("33333.333333333333")

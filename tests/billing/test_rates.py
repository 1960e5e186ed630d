"""Prices with rates by dimension: what units cost by the values of their events."""

import secrets
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.catalog.price_meters import needs_of_rates
from billing.catalog.prices import MeteredDraft
from billing.invoicing.estimates import upcoming_invoices
from metering.counting.catch_up import catch_up
from metering.language.aggregations import AggregationFunction
from metering.meters import MeterChanges, update_meter
from models import Customer, CustomerSubscription, Meter, Organization
from tests.billing.rated import by_model, rate
from tests.billing.world import BilledInvoice, World
from tests.effort import examples
from tests.ingesting import catch_up_all

START = datetime(2026, 1, 1)  # noqa: DTZ001  # what a world takes as UTC
SUM, COUNT = AggregationFunction.SUM, AggregationFunction.COUNT


@pytest.fixture
async def customer(world: World) -> Customer:
    return await world.customer()


@pytest.fixture
async def meter(world: World) -> Meter:
    return await world.meter(dimensions=["model", "kind"])


@pytest.fixture
async def subscription(world: World, customer: Customer, meter: Meter) -> CustomerSubscription:
    return await world.subscribe(customer, await world.product(by_model(meter)), "2026-01-01")


def said(invoice: BilledInvoice) -> list[tuple[str, int, int]]:
    """The description, the units and the amount of each line."""
    return [(line.description, int(line.consumed), int(line.amount)) for line in invoice.lines]


NAME = "SUM of ai_usage"


async def test_each_rate_that_has_units_has_a_line(
    world: World, customer: Customer, subscription: CustomerSubscription
) -> None:
    await world.use(customer, ("2026-01-05T10:20", 100), model="large", kind="output")
    await world.use(customer, ("2026-01-06T11:40", 10), model="large", kind="input")
    await world.use(customer, ("2026-01-07", 7), model="small", kind="output")
    estimate = (await upcoming_invoices(world.id, [subscription.id]))[subscription.id]
    await world.cycle("2026-02-01")
    [invoice] = await world.invoices()
    assert said(invoice) == [
        (f"{NAME}, large, output", 100, 800),
        (f"{NAME}, large", 10, 20),
        (f"{NAME}, all other", 7, 7),
    ]
    assert [line.rate for line in invoice.lines] == [0, 1, None]
    assert [(line.description, line.amount) for line in estimate.lines] == [
        (description, amount) for description, _units, amount in said(invoice)
    ]


async def test_a_missing_value_can_have_a_rate_and_no_usage_has_one_line(
    world: World, customer: Customer, subscription: CustomerSubscription
) -> None:
    await world.cycle("2026-02-01")
    await world.use(customer, ("2026-02-05", 9))
    await world.cycle("2026-03-01")
    first, second = await world.invoices()
    assert said(first) == [(f"{NAME}, all other", 0, 0)]
    # 4.5 cents are rounded once.
    assert said(second) == [(f"{NAME}, no model", 9, 5)]


async def test_credit_is_used_in_the_order_of_the_rates(
    world: World, customer: Customer, meter: Meter
) -> None:
    benefit = await world.benefit(meter, 105)
    product = await world.product(by_model(meter), benefits=[benefit])
    await world.subscribe(customer, product, "2026-01-01")
    await world.use(customer, ("2026-01-05", 7), model="small")
    await world.use(customer, ("2026-01-06", 10), model="large")
    await world.use(customer, ("2026-01-07", 100), model="large", kind="output")
    await world.cycle("2026-02-01")
    [invoice] = await world.invoices()
    lines = [(line.consumed, line.credited, line.billable, line.amount) for line in invoice.lines]
    assert lines == [(100, 100, 0, 0), (10, 5, 5, 10), (7, 0, 7, 7)]


async def test_late_events_are_corrected_by_rate(
    world: World, customer: Customer, subscription: CustomerSubscription
) -> None:
    await world.use(customer, ("2026-01-05", 10), model="large")
    await world.cycle("2026-02-01")
    # Together they are nothing, but not at these rates.
    await world.use(customer, ("2026-01-06", -4), model="large")
    await world.use(customer, ("2026-01-07", 4), model="small")
    await world.cycle("2026-03-01")
    await world.cycle("2026-04-01")
    first, second, third = await world.invoices()
    assert said(first) == [(f"{NAME}, large", 10, 20)]
    assert said(second) == [
        (f"{NAME}, all other", 0, 0),
        (f"Late usage of {NAME}, large", -4, -8),
        (f"Late usage of {NAME}, all other", 4, 4),
    ]
    assert said(third) == [(f"{NAME}, all other", 0, 0)]


async def test_a_voided_invoice_is_billed_again_by_rate(
    world: World, customer: Customer, subscription: CustomerSubscription
) -> None:
    await world.use(customer, ("2026-01-05", 10), model="large")
    await world.cycle("2026-02-01")
    await world.use(customer, ("2026-01-06", 3), model="small")
    await world.cycle("2026-03-01")
    second = (await world.invoices())[-1]
    assert (f"Late usage of {NAME}, all other", 3, 3) in said(second)
    await world.void(second.invoice, "2026-03-02")
    await world.use(customer, ("2026-01-07", 5), model="large")
    await world.cycle("2026-04-01")
    again = (await world.invoices())[-1]
    corrections = [line for line in said(again) if line[0].startswith("Late")]
    assert corrections == [
        (f"Late usage of {NAME}, large", 5, 10),
        (f"Late usage of {NAME}, all other", 3, 3),
    ]


async def test_a_cap_and_a_minimum_are_for_all_rates_together(world: World, meter: Meter) -> None:
    amounts = []
    for used, limits in (
        (100, {"cap_amount": 815}),
        (1, {"minimum_amount": 50}),
    ):
        customer = await world.customer(str(used))
        product = await world.product(by_model(meter, **limits))
        subscription = await world.subscribe(customer, product, "2026-01-01")
        await world.use(customer, ("2026-01-05", used), model="large", kind="output")
        await world.use(customer, ("2026-01-06", used), model="large")
        await world.use(customer, ("2026-01-07", used), model="small")
        await world.cycle("2026-02-01")
        [invoice] = await world.invoices(subscription)
        amounts.append(invoice.amounts)
    assert amounts == [[800, 15, 0], [8, 2, 40]]


async def test_a_change_cuts_an_hour_between_two_rates(
    world: World, customer: Customer, subscription: CustomerSubscription, meter: Meter
) -> None:
    await world.use(customer, ("2026-01-10T12:29:59", 3), ("2026-01-10T12:31", 5), model="large")
    other = await world.product(by_model(meter, rate(100, model="large")), name="Other")
    preview = await world.preview(subscription, "2026-01-10T12:30", other)
    invoice = await world.change(subscription, "2026-01-10T12:30", other)
    assert invoice is not None
    assert said(invoice) == [(f"{NAME}, large", 3, 6)]
    assert [line.amount for line in preview.lines] == invoice.amounts
    await world.cycle("2026-02-01")
    assert said((await world.invoices())[-1]) == [(f"{NAME}, large", 5, 500)]


async def test_combinations_that_are_not_kept_are_rated_from_their_events(
    world: World,
    customer: Customer,
    subscription: CustomerSubscription,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("metering.counting.dimensions.MAXIMUM_COMBINATIONS", 1)
    await world.use(customer, ("2026-01-05T10:20", 1), model="small", kind="input")
    await world.use(customer, ("2026-01-05T10:40", 100), model="large", kind="output")
    await world.use(customer, ("2026-01-05T11:20", 10), model="large")
    await world.use(customer, ("2026-01-05T12:20", 2), model="small", kind="input")
    others = await world.query(
        "SELECT 1 FROM dimension_bucket WHERE organization_id = $1 AND combination = 0"
    )
    assert others
    await world.cycle("2026-02-01")
    [invoice] = await world.invoices()
    assert invoice.amounts == [800, 20, 3]


async def test_an_invoice_waits_for_dimensions_that_start_over(
    world: World, customer: Customer, subscription: CustomerSubscription, meter: Meter
) -> None:
    await world.use(customer, ("2026-01-05", 10), model="large")
    await world.received("2026-01-05")
    await update_meter(
        world.id, meter.id, MeterChanges(dimensions=("kind", "model")), needs_of_rates
    )
    await world.cycle("2026-02-01")
    assert await world.invoices() == []
    await catch_up_all(world.id)
    await world.cycle("2026-02-01T00:01")
    [invoice] = await world.invoices()
    assert said(invoice) == [(f"{NAME}, large", 10, 20)]
    # What is billed is not corrected while dimensions start over.
    await update_meter(
        world.id, meter.id, MeterChanges(dimensions=("model", "kind")), needs_of_rates
    )
    await world.use(customer, ("2026-01-06", 1), model="large")
    await world.cycle("2026-02-02")
    await catch_up(world.id, meter.id)
    await catch_up_all(world.id)
    await world.cycle("2026-03-01")
    last = (await world.invoices())[-1]
    assert [line for line in said(last) if line[0].startswith("Late")] == [
        (f"Late usage of {NAME}, large", 1, 2)
    ]


_models = st.sampled_from(("a", "b", "c"))
_used = st.lists(st.tuples(_models, st.integers(0, 24 * 60 * 70), st.integers(-3, 50)), max_size=25)


@pytest.mark.parametrize("function", [COUNT, SUM])
@examples(20)
@given(used=_used, late=_used)
async def test_rates_cost_what_meters_with_their_filters_cost(
    database: Any, function: AggregationFunction, used: list[Any], late: list[Any]
) -> None:
    """Late usage and corrections included, down to each line's units."""
    organization = await Organization.create(name="Test", slug=f"test-{secrets.token_hex(8)}")
    world = World(organization, database)
    prices = {"a": Decimal("1.3"), "b": Decimal(7), "c": Decimal("0.01")}
    whole = await world.meter(function, dimensions=["model"])
    rates = [rate(str(prices[model]), model=model) for model in "ab"]
    rated = MeteredDraft("USD", whole.id, parameters={"unit_amount": prices["c"], "rates": rates})
    meters = {model: await world.meter(function, model=model) for model in "abc"}
    filtered = [world.per_unit(meters[model], str(prices[model])) for model in "abc"]
    customer = await world.customer()
    products = (await world.product(rated), await world.product(*filtered))
    subscriptions = [await world.subscribe(customer, one, "2026-01-01") for one in products]
    for events, at in ((used, "2026-02-10"), (late, "2026-04-01")):
        for model, minutes, tokens in events:
            await world.send(customer, (after(minutes), tokens), model=model)
        await world.count()
        await catch_up_all(world.id)
        await world.received("2026-01-01")
        await world.cycle(at)
    by_rate, by_meter = [
        sorted(
            (line.period_start, line.kind, line.consumed, line.billable, line.amount)
            for invoice in await world.invoices(subscription)
            for line in invoice.lines
            if line.consumed or line.amount
        )
        for subscription in subscriptions
    ]
    assert by_rate == by_meter


def after(minutes: int) -> str:
    """An instant so many minutes after January 1."""
    return (START + timedelta(minutes=minutes)).isoformat()

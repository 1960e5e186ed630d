"""Simulations: what customers would have paid is what billing makes of the same prices."""

from collections.abc import Sequence
from decimal import Decimal

import pytest

from billing.catalog.benefits import MeterCredit
from billing.catalog.prices import MeteredDraft, PriceDraft
from billing.rating.conversion import Conversion, RoundingMode
from billing.rating.dimension_rates import DimensionRate
from billing.rating.schemes import Pricing, Tier
from billing.simulations.simulation import SimulationStatus, simulation_of
from billing.simulations.stored_lines import lines_of
from metering.language.aggregations import AggregationFunction
from metering.usage.grouping import DimensionValue
from metering.voiding.voids import void_events
from models import Benefit, Customer, Meter, PriceSimulation, SimulatedCustomer
from tests.billing.simulating import amounts_of, finish, results, simulated, start
from tests.billing.world import World

TIERS = {
    "tiers": [
        Tier(Decimal(100), Decimal("1.5"), 200),
        Tier(Decimal(500), Decimal(1)),
        Tier(None, Decimal("0.333")),
    ]
}
RATES = {
    "unit_amount": Decimal(1),
    "rates": (
        DimensionRate((DimensionValue("model", "large"),), Decimal("4.5")),
        DimensionRate((DimensionValue("model", None),), Decimal(2)),
    ),
}


async def history(world: World) -> list[Customer]:
    """Two customers with usage in three months, at their edges, and outside of them."""
    found = []
    for number in (1, 3):
        customer = await world.customer(f"customer {number}")
        for model in ({"model": "large"}, {"model": "small"}, {}):
            await world.use(
                customer,
                ("2025-12-31T23:59", 9_000),
                ("2026-01-01", 7 * number),
                ("2026-01-17T10:07", 90 * number),
                ("2026-02-11T03:20", Decimal("0.5")),
                ("2026-02-28T23:59:59.999999", 40),
                ("2026-03-09T12:30", 250 * number),
                ("2026-04-01", 8_000),
                **model,
            )
        found.append(customer)
    return found


def credit_of(meter: Meter, benefits: Sequence[Benefit]) -> list[MeterCredit]:
    return [MeterCredit.from_json(meter.id, benefit.parameters) for benefit in benefits]


async def shown(simulation: PriceSimulation, customer: Customer) -> list[tuple[object, ...]]:
    row = await SimulatedCustomer.get(simulation_id=simulation.id, customer_id=customer.id)
    return [
        (line.kind, line.period.start, line.amount, line.rating and line.rating.consumed)
        for line in lines_of(simulation_of(simulation), row.lines)
    ]


async def billed(world: World, customer: Customer) -> list[tuple[object, ...]]:
    return [
        (line.kind, line.period_start, line.amount, line.consumed)
        for invoice in await world.invoices()
        if invoice.invoice.customer_id == customer.id
        for line in invoice.lines
        if line.period_start.month < 4
    ]


async def check_equal(
    world: World,
    prices: Sequence[PriceDraft],
    benefits: Sequence[Benefit] = (),
    minimum: int | None = None,
) -> None:
    """Subscribes customers, bills three months, and simulates the same prices over them."""
    customers = await history(world)
    product = await world.product(*prices, benefits=benefits, minimum=minimum)
    for customer in customers:
        await world.subscribe(customer, product, "2026-01-01")
    for month in ("2026-02-01", "2026-03-01", "2026-04-01"):
        await world.cycle(month)
    [metered, *_] = [price for price in prices if isinstance(price, MeteredDraft)]
    meter = await Meter.get(id=metered.meter_id)
    credit = credit_of(meter, benefits)
    simulation = await simulated(world, *prices, benefits=credit, minimum_amount=minimum)
    for customer in customers:
        assert sorted(await shown(simulation, customer), key=repr) == sorted(
            await billed(world, customer), key=repr
        )
    found = await results(simulation)
    assert set(found) == {customer.id for customer in customers}
    assert [difference for _, _, difference in found.values()] == [0, 0]
    assert simulation.total == simulation.current_total == sum(one for one, _, _ in found.values())
    assert simulation.total != 0


async def test_tiers_with_a_fixed_price_cost_what_billing_made_of_them(world: World) -> None:
    meter = await world.meter()
    price = MeteredDraft("USD", meter.id, Pricing.GRADUATED, TIERS)
    await check_equal(world, [world.fixed(2_000), price])


async def test_rates_by_dimension_cost_what_billing_made_of_them(world: World) -> None:
    meter = await world.meter(dimensions=["model"])
    await check_equal(world, [MeteredDraft("USD", meter.id, Pricing.PER_UNIT, RATES)])


async def test_volume_minimum_conversion_and_cap_cost_what_billing_made_of_them(
    world: World,
) -> None:
    meter = await world.meter()
    price = MeteredDraft(
        "USD",
        meter.id,
        Pricing.VOLUME,
        TIERS,
        cap_amount=900,
        minimum_amount=300,
        conversion=Conversion(Decimal(3), RoundingMode.UP),
    )
    await check_equal(world, [price], minimum=400)


@pytest.mark.parametrize("rollover", [False, True])
async def test_credit_costs_what_billing_made_of_it(world: World, *, rollover: bool) -> None:
    meter = await world.meter()
    package = {"package_amount": 70, "package_size": Decimal(20)}
    price = MeteredDraft("USD", meter.id, Pricing.PACKAGE, package)
    limit = 150 if rollover else None
    plain = await world.benefit(meter, 200, rollover=rollover, limit=limit)
    short = await world.benefit(meter, 30, days=12, priority=10)
    await check_equal(world, [price], [plain, short])


async def test_values_that_last_cost_what_billing_made_of_them(world: World) -> None:
    meter = await world.meter(AggregationFunction.TIME_WEIGHTED, carries_over=True)
    await check_equal(world, [world.per_unit(meter, "0.001")])


async def test_distinct_values_cost_what_billing_made_of_them(world: World) -> None:
    meter = await world.meter(AggregationFunction.UNIQUE)
    await check_equal(world, [world.per_unit(meter, 10)])


async def test_every_size_of_batch_finds_every_customer_once(world: World) -> None:
    meter = await world.meter()
    customers = [await world.customer(f"customer {number}") for number in range(5)]
    for number, customer in enumerate(customers[1:], start=1):
        await world.use(customer, ("2026-02-03", number))
    await world.use(customers[0], ("2026-05-03", 1))
    for periods in (1, 6, 4_000):
        begun = await start(world, world.per_unit(meter, 10))
        simulation = await finish(begun, periods)
        assert await results(simulation) == {
            customer.id: (10 * number, 0, 10 * number)
            for number, customer in enumerate(customers[1:], start=1)
        }
        assert simulation.status == SimulationStatus.DONE
        assert simulation.total == 100
        assert simulation.simulated == simulation.candidates == 5


@pytest.mark.parametrize(
    ("function", "amount"),
    [
        (AggregationFunction.SUM, 1_200),
        (AggregationFunction.UNIQUE, 20),
        (AggregationFunction.LATEST, 700),
        (AggregationFunction.TIME_WEIGHTED, 0),
    ],
)
async def test_events_that_come_later_do_not_change_a_simulation(
    world: World, function: AggregationFunction, amount: int
) -> None:
    meter = await world.meter(function, carries_over=function is AggregationFunction.LATEST)
    early, late = await world.customer("early"), await world.customer("late")
    await world.use(early, ("2026-01-10", 50), ("2026-01-20", 70))
    price = world.per_unit(meter, 10)
    first = await simulated(world, price, end="2026-02-01")
    begun = await start(world, price, end="2026-02-01")
    await world.use(early, ("2025-12-31", 5), ("2026-01-10", 30), ("2026-01-21", 90))
    await world.use(late, ("2026-01-10", 30))
    second = await finish(begun)
    assert second.position == first.position
    assert await results(second) == await results(first)
    if amount:
        assert first.total == amount
    after = await simulated(world, price, end="2026-02-01")
    assert set(await results(after)) == {early.id, late.id}
    assert after.total != first.total


async def test_rates_of_a_position_do_not_change_either(world: World) -> None:
    meter = await world.meter(dimensions=["model"])
    customer = await world.customer()
    await world.use(customer, ("2026-01-10", 10), model="large")
    begun = await start(world, MeteredDraft("USD", meter.id, Pricing.PER_UNIT, RATES))
    await world.use(customer, ("2026-01-10", 10), model="large")
    assert await amounts_of(await finish(begun), customer) == (45, 0)


async def test_events_that_are_voided_later_do_not_change_a_simulation(world: World) -> None:
    meter = await world.meter(dimensions=["model"])
    customer = await world.customer()
    await world.use(customer, ("2026-01-10", 10), ("2026-01-11T10:07", 5), model="large")
    plain = await start(world, world.per_unit(meter, 10))
    by_rate = await start(world, MeteredDraft("USD", meter.id, Pricing.PER_UNIT, RATES))
    await void_events(world.id, [event["id"] for event in await world.events()], [], "a test")
    assert await amounts_of(await finish(plain), customer) == (150, 0)
    assert await amounts_of(await finish(by_rate), customer) == (68, 0)
    assert await results(await simulated(world, world.per_unit(meter, 10))) == {}


async def test_what_was_billed_counts_in_proportion_to_time(world: World) -> None:
    customer, meter = await world.customer(), await world.meter()
    product = await world.product(world.fixed(3_100), world.per_unit(meter, 10))
    subscription = await world.subscribe(customer, product, "2026-01-11")
    await world.discount(subscription, "2026-01-12", percent=50)
    await world.use(customer, ("2026-02-01", 31))
    for month in ("2026-02-11", "2026-03-11"):
        await world.cycle(month)
    simulation = await simulated(
        world, world.per_unit(meter, 20), start="2026-02-01", end="2026-03-01"
    )
    # 10 of 31 days of the first period and 18 of 28 of the second, the latter at half the price.
    first = 310 * 10 / 31 + 3_100 * 10 / 31
    second = 3_100 * 18 / 28 * 0.5
    assert await amounts_of(simulation, customer) == (620, round(first * 1 + second - 50))


async def test_voided_invoices_and_credit_notes_are_no_part_of_what_was_billed(
    world: World,
) -> None:
    customer, meter = await world.customer(), await world.meter()
    product = await world.product(world.per_unit(meter, 10))
    await world.subscribe(customer, product, "2026-01-01")
    await world.use(customer, ("2026-01-05", 100), ("2026-02-05", 50))
    await world.cycle("2026-02-01")
    await world.cycle("2026-03-01")
    first, second = await world.invoices()
    await world.note(first.invoice, 300, "2026-03-02")
    await world.void(second.invoice, "2026-03-02", write_off=True)
    price = world.per_unit(meter, 10)
    assert await amounts_of(await simulated(world, price), customer) == (1_500, 700)
    # Nor is what happens after a simulation was started.
    before = await simulated(world, price, end="2026-03-01", now="2026-03-01T12:00")
    assert await amounts_of(before, customer) == (1_500, 1_500)


async def test_with_a_product_its_subscribers_are_compared(world: World) -> None:
    meter = await world.meter()
    product = await world.product(world.fixed(1_000), world.per_unit(meter, 10))
    other = await world.product(world.fixed(500))
    idle, changed, gone, stranger = [
        await world.customer(name) for name in ("idle", "changed", "gone", "stranger")
    ]
    await world.subscribe(idle, product, "2026-01-01")
    await world.subscribe(idle, other, "2026-01-01")
    leaving = await world.subscribe(changed, product, "2026-01-01")
    ended = await world.subscribe(gone, product, "2025-11-01")
    await world.cancel(ended, "2025-12-15")
    await world.use(stranger, ("2026-01-05", 100))
    await world.change(leaving, "2026-02-01", other)
    await world.cycle("2026-02-01")
    simulation = await simulated(
        world, world.fixed(300), product=product, end="2026-02-01", now="2026-03-01"
    )
    assert await results(simulation) == {
        idle.id: (300, 1_000, -700),
        changed.id: (300, 1_000, -700),
    }

"""Values that last: every period has them, and late events correct all periods that follow."""

from decimal import Decimal

from billing.invoicing.estimates import upcoming_invoices
from metering.language.aggregations import AggregationFunction
from models import CustomerMeter
from tests.billing.world import World


async def test_seats_are_billed_in_every_period_until_they_change(world: World) -> None:
    customer = await world.customer()
    meter = await world.meter(AggregationFunction.MAXIMUM, carries_over=True)
    product = await world.product(world.per_unit(meter))
    subscription = await world.subscribe(customer, product, "2026-01-01")
    await world.use(customer, ("2026-01-10", 5))
    await world.cycle("2026-02-01")
    estimated = await upcoming_invoices(world.id, [subscription.id])
    assert [line.amount for line in estimated[subscription.id].lines] == [5]
    await world.cycle("2026-03-01")
    assert [invoice.amounts for invoice in await world.invoices()] == [[5], [5]]
    # It had 8 seats in January for a while, and 3 from then on.
    await world.use(customer, ("2026-01-20", 8), ("2026-01-25", 3))
    assert (await CustomerMeter.get(organization_id=world.id)).consumed == 3
    await world.cycle("2026-04-01")
    last = (await world.invoices())[-1]
    assert last.kinds == ["METERED", "CORRECTION", "CORRECTION"]
    assert last.amounts == [3, 3, -2]


async def test_what_is_stored_is_billed_to_the_end_of_each_period(world: World) -> None:
    customer = await world.customer()
    meter = await world.meter(AggregationFunction.TIME_WEIGHTED)
    product = await world.product(world.per_unit(meter))
    await world.subscribe(customer, product, "2026-01-01")
    await world.use(customer, ("2026-01-10", 2), ("2026-01-11", 2))
    # Until the latest event.
    assert (await CustomerMeter.get(organization_id=world.id)).consumed == 2 * 24
    await world.cycle("2026-02-01")
    await world.cycle("2026-03-01")
    january, february = 22 * 24, 28 * 24
    assert [one.amounts for one in await world.invoices()] == [[2 * january], [2 * february]]
    # From January 20 on, it was 5.
    await world.use(customer, ("2026-01-20", 5))
    await world.use(customer, ("2026-03-11T12:00:00", "0.5"))
    march = Decimal("10.5") * 24 * 5
    assert (await CustomerMeter.get(organization_id=world.id)).consumed == march
    await world.cycle("2026-04-01")
    last = (await world.invoices())[-1]
    assert last.kinds == ["METERED", "CORRECTION", "CORRECTION"]
    march += Decimal("20.5") * 24 / 2
    assert last.amounts == [march, 3 * 12 * 24, 3 * february]


async def test_a_change_within_a_period_divides_what_is_stored(world: World) -> None:
    customer = await world.customer()
    meter = await world.meter(AggregationFunction.TIME_WEIGHTED)
    product = await world.product(world.per_unit(meter))
    subscription = await world.subscribe(customer, product, "2026-01-01")
    await world.use(customer, ("2026-01-01", 1))
    await world.cancel(subscription, "2026-01-16T06:00:00")
    await world.cycle("2026-01-16T06:00:00")
    assert [one.amounts for one in await world.invoices()] == [[15 * 24 + 6]]
    # The time since the end is not billed, and the value lasts there too.
    row = await CustomerMeter.get(organization_id=world.id)
    assert row.consumed == 0
    assert row.latest_value == 1

"""Which usage was paid from a grant: period by period, with the invoice of each."""

from decimal import Decimal
from typing import Any

from billing.periods.grant_usage import GrantUsage, usage_of_grants
from models import CreditGrant, Customer, Meter
from tests.billing.world import World, instant


async def usages(
    world: World, customer: Customer, meter: Meter, at: str, most: int = 100
) -> list[list[GrantUsage]]:
    """What used each grant, oldest grant and latest period first."""
    grants = await CreditGrant.filter(organization_id=world.id).order_by("id")
    asked = [(grant.id, (customer.id, meter.id), most) for grant in grants]
    return await usage_of_grants(world.database, world.id, asked, instant(at))


def units(found: list[list[GrantUsage]]) -> list[list[Any]]:
    return [[one.units for one in used] for used in found]


async def test_a_grant_that_rolls_over_is_used_period_by_period(world: World) -> None:
    customer, meter, _subscription = await world.subscribed()
    await world.credit(customer, meter, 100, "2026-01-02")
    assert await usages(world, customer, meter, "2026-01-03") == [[]]
    await world.use(customer, ("2026-01-05", 30))
    await world.cycle("2026-02-01")
    # Nothing of it is used in February.
    await world.cycle("2026-03-01")
    await world.use(customer, ("2026-03-05", 25))

    [[march, january]] = await usages(world, customer, meter, "2026-03-06")

    first, *_ = await world.invoices()
    ends = instant("2026-02-01")
    assert january == GrantUsage(instant("2026-01-01"), ends, Decimal(30), first.invoice.id)
    assert march == GrantUsage(instant("2026-03-01"), instant("2026-04-01"), Decimal(25))
    assert units(await usages(world, customer, meter, "2026-03-06", most=1)) == [[25]]


async def test_late_usage_is_told_where_it_happened(world: World) -> None:
    customer, meter, _subscription = await world.subscribed(units=20)
    await world.credit(customer, meter, 100, "2026-01-02")
    await world.use(customer, ("2026-01-05", 50))
    await world.cycle("2026-02-01")
    await world.use(customer, ("2026-02-05", 25))
    # January's benefit, the credit by hand, and February's benefit.
    assert units(await usages(world, customer, meter, "2026-02-06")) == [[20], [5, 30], [20]]
    await world.use(customer, ("2026-01-06", 40))
    await world.cycle("2026-02-07")
    assert units(await usages(world, customer, meter, "2026-02-07")) == [[20], [5, 70], [20]]


async def test_what_was_used_and_what_remains_are_what_was_granted(world: World) -> None:
    customer, meter, subscription = await world.subscribed(units=20)
    for given, priority in ((40, 60), (35, 40), (500, 70)):
        await world.credit(customer, meter, given, "2026-01-02", priority=priority)
    for month, used in (("01", 33), ("02", 61), ("03", 0), ("04", 90)):
        await world.use(customer, (f"2026-{month}-05", used), (f"2026-{month}-25", 3))
        await world.cycle(f"2026-{month}-28")
    await world.change(subscription, "2026-04-28T12:00", quantity=2)
    await world.use(customer, ("2026-04-29", 11), ("2026-02-07", 17))
    await world.cycle("2026-04-30")

    found = units(await usages(world, customer, meter, "2026-04-30"))

    remaining = await world.remaining(customer, meter, "2026-04-30")
    grants = await CreditGrant.filter(organization_id=world.id).order_by("id")
    rolling = [
        (grant.units, sum(used) + left)
        for grant, used, left in zip(grants, found, remaining, strict=True)
        if grant.is_rolling
    ]
    assert len(rolling) == 3
    assert all(granted == told for granted, told in rolling)
    used = sum(sum(of_grant) for of_grant in found)
    assert used == 33 + 61 + 90 + 4 * 3 + 11 + 17


async def test_what_a_debit_takes_was_used_by_nothing(world: World) -> None:
    customer, meter, _subscription = await world.subscribed()
    await world.credit(customer, meter, 100, "2026-01-02")
    await world.credit(customer, meter, -30, "2026-01-03")
    await world.use(customer, ("2026-01-05", 8))
    assert units(await usages(world, customer, meter, "2026-01-06")) == [[8]]
    [grant] = await CreditGrant.filter(organization_id=world.id)
    await world.void_grant(grant.id, "2026-01-07")
    assert units(await usages(world, customer, meter, "2026-01-08")) == [[8]]

"""Grants with a priority, a beginning and an end: what they pay for, and what remains of each."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from billing.invoicing.estimates import upcoming_invoices
from billing.periods import metered_periods
from billing.periods.grants import Burning, Holding, burn
from billing.subscriptions.usage_check import check_usage
from config import clock
from models import CustomerMeter
from tests.billing.world import World, instant


async def test_usage_burns_what_is_active_when_it_happens(world: World) -> None:
    """A promotion from 10 to 20 January pays for usage then, before other credit."""
    customer, meter, _subscription = await world.subscribed(units=20)
    await world.credit(
        *(customer, meter, 30, "2026-01-02"), begins="2026-01-10", ends="2026-01-20", priority=1
    )
    assert await world.balance(customer, meter) == (0, 20)
    await world.use(customer, ("2026-01-09", 25), ("2026-01-12", 10), ("2026-01-25", 7))
    assert await world.remaining(customer, meter, "2026-01-05") == [0, 30]
    assert await world.remaining(customer, meter, "2026-01-15") == [0, 13]
    await world.cycle("2026-02-01")
    [invoice] = await world.invoices()
    [line] = invoice.lines
    # 5 before the promotion, and 7 after it.
    assert (line.consumed, line.credited, line.billable, line.amount) == (42, 30, 12, 12)
    assert await world.balance(customer, meter) == (0, 20)


async def test_the_balance_moves_when_a_grant_begins_and_ends(world: World) -> None:
    customer, meter, _subscription = await world.subscribed(units=20)
    await world.credit(*(customer, meter, 30, "2026-01-02"), begins="2026-01-10", ends="2026-01-20")
    await world.use(customer, ("2026-01-03", 24))
    assert await world.balance(customer, meter) == (24, 20)
    before = await CustomerMeter.get(organization_id=world.id)
    assert before.credit_until == instant("2026-01-10")
    assert (await world.cycle("2026-01-10")).turned == 1
    # The 4 units before it are billed, and use nothing of the grant.
    assert await world.balance(customer, meter) == (24, 24 + 30)
    after = await CustomerMeter.get(organization_id=world.id)
    assert after.revision > before.revision
    assert (await world.cycle("2026-01-10")).turned == 0
    await world.use(customer, ("2026-01-11", 12))
    assert (await world.cycle("2026-01-20")).turned == 1
    assert await world.balance(customer, meter) == (36, 36)
    assert await world.ledger(customer, meter) == [
        ("GRANT", 20),
        ("MANUAL", 30),
        ("UNCOVERED", 4),
        ("EXPIRY", -18),
    ]
    assert (await CustomerMeter.get(organization_id=world.id)).credit_until is None


async def test_a_renewal_burns_a_period_as_often_with_many_grants_as_with_few(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It burned the period once for each grant, which took minutes with a thousand of them."""
    customer, meter, _subscription = await world.subscribed(units=1)
    burned: list[int] = []

    def counted(holdings: Sequence[Holding], *rest: Any) -> Burning:
        burned.append(len(holdings))
        return burn(holdings, *rest)

    monkeypatch.setattr(metered_periods, "burn", counted)
    for _ in range(4):
        await world.credit(customer, meter, 1, "2026-01-02")
    await world.cycle("2026-02-01")
    with_few = len(burned)
    assert set(burned) == {5}
    for _ in range(8):
        await world.credit(customer, meter, 1, "2026-02-02")
    burned.clear()
    await world.cycle("2026-03-01")
    assert set(burned) == {13}
    assert len(burned) == with_few


async def test_late_usage_burns_as_if_it_had_come_in_time(world: World) -> None:
    customer, meter, _subscription = await world.subscribed()
    await world.credit(*(customer, meter, 30, "2026-01-02"), ends="2026-01-10")
    await world.credit(*(customer, meter, 50, "2026-01-02"))
    await world.cycle("2026-01-15")
    assert await world.balance(customer, meter) == (0, 50)
    # 30 of it burns the grant that has ended since, 5 the other one.
    await world.use(customer, ("2026-01-09", 35))
    await world.cycle("2026-01-16")
    assert await world.balance(customer, meter) == (35, 80)
    assert await world.remaining(customer, meter, "2026-01-16") == [0, 45]
    await world.cycle("2026-02-01")
    await world.use(customer, ("2026-01-09", 60))
    await world.cycle("2026-03-01")
    january, february = await world.invoices()
    assert january.amounts == [0]
    assert (february.kinds, february.amounts) == (["METERED", "CORRECTION"], [0, 15])
    entries = await world.ledger(customer, meter)
    assert sum(units for _kind, units in entries) == 0


async def test_grants_are_used_by_priority_then_the_sooner_end_then_the_older(
    world: World,
) -> None:
    customer, meter, _subscription = await world.subscribed(units=1)
    for ends, priority in (
        ("2026-04-01", 50),
        ("2026-03-01", 50),
        ("2026-03-01", 50),
        (None, 49),
    ):
        await world.credit(*(customer, meter, 10, "2026-01-02"), ends=ends, priority=priority)
    for used, remaining in (
        (4, [1, 10, 10, 10, 6]),
        (7, [0, 10, 10, 10, 0]),
        (12, [0, 10, 0, 8, 0]),
        (9, [0, 9, 0, 0, 0]),
    ):
        await world.use(customer, ("2026-01-05", used))
        assert await world.remaining(customer, meter, "2026-01-06") == remaining
    assert await world.balance(customer, meter) == (32, 41)


async def test_benefits_last_for_days_or_carry_a_limit_over(world: World) -> None:
    customer, meter = await world.customer(), await world.meter()
    weekly = await world.benefit(meter, 10, days=40, priority=10)
    limited = await world.benefit(meter, 100, rollover=True, limit=120)
    product = await world.product(world.per_unit(meter), benefits=[weekly, limited])
    await world.subscribe(customer, product, "2026-01-01")
    await world.use(customer, ("2026-01-05", 4))
    await world.cycle("2026-02-01")
    # 6 until 10 February, and 10 until 13 March; 100 carried over, and 100 new.
    assert await world.balance(customer, meter) == (0, 6 + 10 + 200)
    await world.cycle("2026-02-10")
    assert await world.balance(customer, meter) == (0, 10 + 200)
    await world.cycle("2026-03-01")
    # Of 200, 120 carry over.
    assert await world.balance(customer, meter) == (0, 10 + 10 + 120 + 100)


async def test_a_change_takes_back_what_is_unused_of_each_grant_of_the_product(
    world: World,
) -> None:
    """A timed grant by hand stays. What the product granted is given back for half the month."""
    customer, meter = await world.customer(), await world.meter()
    old = await world.product(
        world.fixed(100), world.per_unit(meter), benefits=[await world.benefit(meter, 40, days=90)]
    )
    new = await world.product(world.fixed(100), world.per_unit(meter))
    subscription = await world.subscribe(customer, old, "2026-02-01")
    await world.credit(*(customer, meter, 7, "2026-02-02"), begins="2026-02-10", ends="2026-02-20")
    await world.use(customer, ("2026-02-05", 25), ("2026-02-11", 3))
    preview = await world.preview(subscription, "2026-02-15", new)
    assert preview.credit_changes == {meter.id: -15}
    invoice = await world.change(subscription, "2026-02-15", new)
    assert invoice is not None
    assert [line.amount for line in preview.lines] == invoice.amounts == [0, -50, 50]
    # 4 of the 7 until 20 February. Of the 15 that were unused, nothing stays.
    assert await world.balance(customer, meter) == (0, 4)
    await world.cycle("2026-02-20")
    assert await world.balance(customer, meter) == (0, 0)


async def test_estimates_and_checks_know_grants_at_once(world: World) -> None:
    customer, meter, subscription = await world.subscribed()
    await world.credit(*(customer, meter, 30, "2026-01-02"), begins="2026-01-10", ends="2026-01-20")
    await world.use(customer, ("2026-01-05", 4), ("2026-01-12", 40), ("2026-01-21", 1))
    estimate = (await upcoming_invoices(world.id, [subscription.id]))[subscription.id]
    assert [line.amount for line in estimate.lines] == [4 + 10 + 1]

    async def balance(at: str) -> Decimal:
        with clock.at(instant(at)):
            return (await check_usage(world.id, meter.id, "id", customer.id)).balance

    # No cycle has run.
    assert [await balance(f"2026-01-{day}") for day in ("09", "10", "20")] == [-45, -11, -1]
    await world.cycle("2026-01-11")
    assert await balance("2026-01-11") == -11


async def test_usage_before_a_subscription_burns_nothing_but_grants_end(world: World) -> None:
    customer, meter = await world.customer(), await world.meter()
    await world.credit(*(customer, meter, 10, "2026-01-02"), ends="2026-01-10")
    await world.credit(customer, meter, 5, "2026-01-02")
    await world.use(customer, ("2026-01-03", 8))
    assert await world.balance(customer, meter) == (8, 15)
    await world.cycle("2026-01-10")
    assert await world.balance(customer, meter) == (8, 5)
    product = await world.product(world.per_unit(meter))
    await world.subscribe(customer, product, "2026-01-15")
    assert await world.balance(customer, meter) == (0, 5)


async def test_a_period_that_is_renewed_late_ends_grants_all_the_same(world: World) -> None:
    customer, meter, _subscription = await world.subscribed()
    await world.credit(*(customer, meter, 10, "2026-01-02"), begins="2026-02-05", ends="2026-02-10")
    await world.use(customer, ("2026-01-03", 1), ("2026-02-06", 3), ("2026-02-11", 2))
    await world.cycle("2026-02-20")
    assert await world.balance(customer, meter) == (5, 5 - 2)
    assert (await CustomerMeter.get(organization_id=world.id)).credit_until is None
    await world.cycle(str((instant("2026-03-01") + timedelta(days=1)).date()))
    assert [one.amounts for one in await world.invoices()] == [[1], [2]]


async def test_a_subscriptions_quantity_multiplies_units(world: World) -> None:
    """3 seats with 20 units each become 5 in the middle of January."""
    customer, meter = await world.customer(), await world.meter()
    benefit = await world.benefit(meter, 20, per_quantity=True)
    product = await world.product(world.per_unit(meter), benefits=[benefit])
    subscription = await world.subscribe(customer, product, "2026-01-01", quantity=3)
    assert await world.balance(customer, meter) == (0, 60)
    await world.change(subscription, "2026-01-16T12:00", quantity=5)
    # Half of 60 is taken back, and half of 100 is granted.
    assert await world.balance(customer, meter) == (0, 30 + 50)
    assert ("REVOKE", -30) in await world.ledger(customer, meter)
    await world.cycle("2026-02-01")
    assert await world.balance(customer, meter) == (0, 100)

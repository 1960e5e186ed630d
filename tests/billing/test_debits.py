"""Debits by hand: at most the credit that is left, and never a charge."""

import asyncio
from decimal import Decimal

import pytest

from metering.problems import RefusedError
from models import Customer, Meter
from tests.billing.world import World


async def test_a_debit_takes_at_most_the_credit_that_is_left(world: World) -> None:
    customer, meter, _subscription = await world.subscribed(units=100)
    await world.use(customer, ("2026-01-10", Decimal("60.5")))
    before = await world.ledger(customer, meter)
    with pytest.raises(RefusedError, match=r"Only 39\.5 units") as refused:
        await world.credit(customer, meter, -40, "2026-01-11")
    assert refused.value.problems[0].code == "LIMIT_EXCEEDED"
    assert refused.value.problems[0].path == ("units",)
    assert await world.ledger(customer, meter) == before
    await world.credit(customer, meter, -39, "2026-01-11")
    assert await world.balance(customer, meter) == (Decimal("60.5"), 61)
    await world.cycle("2026-02-01")
    [invoice] = await world.invoices()
    assert invoice.amounts == [0]


async def test_of_a_period_that_is_over_nothing_is_left_to_debit(world: World) -> None:
    customer, meter, _subscription = await world.subscribed(units=100, rollover=True)
    await world.use(customer, ("2026-01-10", 90))
    # No cycle has run since, and 30 units of it came late.
    await world.cycle("2026-02-01")
    await world.use(customer, ("2026-01-11", 30))
    with pytest.raises(RefusedError, match="Only 100 units"):
        await world.credit(customer, meter, -101, "2026-02-02")
    with pytest.raises(RefusedError, match="Only 200 units"):
        await world.credit(customer, meter, -201, "2026-03-01")


async def test_without_a_subscription_all_that_was_credited_can_be_debited(world: World) -> None:
    customer, meter = await world.customer(), await world.meter()
    with pytest.raises(RefusedError, match="Only 0 units"):
        await world.credit(customer, meter, -1, "2026-01-01")
    await world.use(customer, ("2025-12-10", 30))
    await world.credit(customer, meter, 50, "2026-01-01")
    with pytest.raises(RefusedError, match="Only 50 units"):
        await world.credit(customer, meter, -51, "2026-01-01")
    await world.credit(customer, meter, -50, "2026-01-01")
    assert await world.balance(customer, meter) == (30, 0)


async def test_after_a_subscription_usage_since_its_end_takes_from_what_is_left(
    world: World,
) -> None:
    customer, meter, subscription = await world.subscribed()
    await world.credit(customer, meter, 50, "2026-01-01")
    await world.use(customer, ("2026-01-05", 10), ("2026-01-25", 15))
    await world.cancel(subscription, "2026-01-20")
    assert await world.balance(customer, meter) == (15, 40)
    with pytest.raises(RefusedError, match="Only 25 units"):
        await world.credit(customer, meter, -26, "2026-01-26")
    await world.credit(customer, meter, -25, "2026-01-26")


async def test_late_usage_of_what_was_debited_since_charges_nothing_in_the_next_period(
    world: World,
) -> None:
    customer, meter, _subscription = await world.subscribed()
    await world.credit(customer, meter, 40, "2026-01-02")
    await world.cycle("2026-02-01")
    await world.credit(customer, meter, -40, "2026-02-02")
    await world.use(customer, ("2026-01-03", 40))
    await world.cycle("2026-03-01")
    _january, february = await world.invoices()
    assert (february.kinds, february.amounts) == (["METERED", "CORRECTION"], [0, 0])
    assert await world.balance(customer, meter) == (0, 0)


async def test_two_debits_at_once_do_not_take_the_same_units(world: World) -> None:
    customer, meter = await world.customer(), await world.meter()
    await world.credit(customer, meter, 10, "2026-01-01")

    async def debit(customer: Customer, meter: Meter) -> bool:
        try:
            await world.credit(customer, meter, -4, "2026-01-02")
        except RefusedError:
            return False
        return True

    done = await asyncio.gather(*(debit(customer, meter) for _ in range(5)))
    assert sorted(done) == [False, False, False, True, True]
    assert await world.balance(customer, meter) == (0, 2)

"""The cycle, from a subscription's first day on: what is granted, carried over and invoiced."""

import pytest

from billing.periods.intervals import RecurringInterval
from billing.subscriptions.life import CancelWhen
from metering.problems import RefusedError
from models import CustomerMeter, CustomerSubscription
from tests.billing.world import World, instant


async def test_the_ai_plan_from_product_to_invoice(world: World) -> None:
    customer, meter, subscription = await world.subscribed(
        "2026-01-31", fixed=2000, amount="0.0004", units=1_000_000
    )
    [first] = await world.invoices()
    assert (first.kinds, first.amounts, first.invoice.sequence) == (["FIXED"], [2000], 1)
    assert first.lines[0].period_end == instant("2026-02-28")

    await world.use(customer, ("2026-02-01", 900_000), ("2026-02-27T23:59:59", 200_000))
    await world.use(customer, ("2026-01-30", 5), ("2026-02-28", 7))
    assert await world.balance(customer, meter) == (1_100_000, 1_000_000)
    assert (await world.cycle("2026-02-27T23:00")).renewed == 0
    assert (await world.cycle("2026-02-28")).renewed == 1

    _, second = await world.invoices()
    assert second.kinds == ["METERED", "FIXED"]
    metered, fixed = second.lines
    assert (metered.consumed, metered.credited, metered.billable) == (1_100_000, 1_000_000, 100_000)
    assert (second.amounts, second.invoice.total) == ([40, 2000], 2040)
    assert (fixed.period_start, fixed.period_end) == (instant("2026-02-28"), instant("2026-03-31"))
    assert await world.balance(customer, meter) == (7, 1_000_000)
    assert await world.ledger(customer, meter) == [
        ("GRANT", 1_000_000),
        ("EXPIRY", -1_000_000),
        ("GRANT", 1_000_000),
    ]
    await subscription.refresh_from_db()
    assert subscription.current_period_end == instant("2026-03-31")
    assert (await world.cycle("2026-02-28")).renewed == 0
    assert len(await world.invoices()) == 2


async def test_rolling_credit_carries_over_and_plain_burns_first(world: World) -> None:
    customer, meter = await world.customer(), await world.meter()
    plain, rolling = await world.benefit(meter, 80), await world.benefit(meter, 60, rollover=True)
    product = await world.product(world.per_unit(meter), benefits=[plain, rolling])
    await world.subscribe(customer, product, "2026-01-01")
    await world.credit(customer, meter, 5, "2026-01-02")
    await world.use(customer, ("2026-01-05", 90))
    await world.cycle("2026-02-01")
    # 10 of the 65 that roll were used.
    assert await world.balance(customer, meter) == (0, 80 + 60 + 55)
    assert await world.ledger(customer, meter) == [
        ("GRANT", 80),
        ("GRANT", 60),
        ("MANUAL", 5),
        ("EXPIRY", -145),
        ("CARRIED_OVER", 55),
        ("GRANT", 80),
        ("GRANT", 60),
    ]


async def test_down_for_three_periods(world: World) -> None:
    customer, meter, _subscription = await world.subscribed(fixed=2000, units=100, rollover=True)
    await world.use(
        customer, ("2026-01-10", 30), ("2026-02-10", 250), ("2026-03-10", 40), ("2026-04-02", 1)
    )
    assert (await world.cycle("2026-04-03")).renewed == 3
    _first, *invoices = await world.invoices()
    assert [invoice.kinds for invoice in invoices] == [["METERED", "FIXED"]] * 3
    # 70 of January's and all of February's credit go to February's 250.
    assert [invoice.amounts[0] for invoice in invoices] == [0, 80, 0]
    assert [invoice.invoice.sequence for invoice in invoices] == [2, 3, 4]
    assert [invoice.lines[0].credited for invoice in invoices] == [30, 170, 40]
    assert await world.balance(customer, meter) == (1, 60 + 100)


async def test_canceling_at_the_periods_end(world: World) -> None:
    customer, _meter, subscription = await world.subscribed(fixed=2000)
    await world.use(customer, ("2026-01-10", 30))
    await world.cancel(subscription, "2026-01-15", CancelWhen.PERIOD_END)
    await world.use(customer, ("2026-01-20", 3), ("2026-02-02", 4))
    await world.cycle("2026-03-05")
    _, last = await world.invoices()
    assert (last.kinds, last.amounts) == (["METERED"], [33])
    await subscription.refresh_from_db()
    assert (subscription.status, subscription.ended_at) == ("CANCELED", instant("2026-02-01"))
    kept = await CustomerMeter.get(organization_id=world.id)
    assert (kept.period_start, kept.period_end) == (instant("2026-02-01"), None)
    assert kept.consumed == 4
    with pytest.raises(RefusedError):
        await world.cancel(subscription, "2026-03-05")


async def test_canceling_at_once_closes_the_period_there_and_then(world: World) -> None:
    customer, meter = await world.customer(), await world.meter()
    product = await world.product(world.fixed(), world.per_unit(meter))
    subscription = await world.subscribe(customer, product, "2026-01-01")
    await world.use(customer, ("2026-01-10", 30), ("2026-01-15T00:00:01", 4))
    canceled = await world.cancel(subscription, "2026-01-15")
    assert (canceled.status, canceled.ended_at) == ("CANCELED", instant("2026-01-15"))
    _, last = await world.invoices()
    assert (last.kinds, last.amounts) == (["METERED"], [30])
    assert last.lines[0].period_end == instant("2026-01-15")
    again = await world.subscribe(customer, product, "2026-01-20")
    assert again.current_period_start == instant("2026-01-20")


async def test_canceling_after_missed_turns_turns_them_first(world: World) -> None:
    customer, _meter, subscription = await world.subscribed(fixed=2000)
    await world.use(customer, ("2026-01-10", 1), ("2026-02-10", 2), ("2026-03-10", 3))
    await world.cancel(subscription, "2026-03-15")
    assert [invoice.amounts for invoice in await world.invoices()] == [
        [2000],
        [1, 2000],
        [2, 2000],
        [3],
    ]


async def test_an_imported_subscription_begins_in_its_current_period(world: World) -> None:
    customer, meter = await world.customer(), await world.meter()
    product = await world.product(
        world.fixed(), world.per_unit(meter), benefits=[await world.benefit(meter, 10)]
    )
    await world.use(customer, ("2026-02-10", 500), ("2026-03-02", 6))
    subscription = await world.subscribe(customer, product, "2026-03-20", "2025-08-31")
    assert subscription.current_period_start == instant("2026-02-28")
    assert await world.balance(customer, meter) == (6, 10)
    [first] = await world.invoices()
    assert (first.kinds, first.lines[0].period_start) == (["FIXED"], instant("2026-02-28"))
    await world.use(customer, ("2026-02-27", 500))
    await world.cycle("2026-03-31")
    _, second = await world.invoices()
    assert (second.lines[0].consumed, second.amounts) == (6, [0, 2000])


async def test_subscriptions_that_make_no_sense(world: World) -> None:
    customer, meter = await world.customer(), await world.meter()
    priced = await world.product(world.per_unit(meter))
    credited = await world.product(world.fixed(), benefits=[await world.benefit(meter, 1)])
    with pytest.raises(RefusedError, match="at most a year ahead"):
        await world.subscribe(customer, priced, "2026-01-01", "2027-01-01T00:00:00.000001")
    with pytest.raises(RefusedError, match="1970"):
        await world.subscribe(customer, priced, "2026-01-01", "1969-12-31")
    subscription = await world.subscribe(customer, priced, "2026-01-01")
    for product in (priced, credited):
        with pytest.raises(RefusedError) as refused:
            await world.subscribe(customer, product, "2026-01-02")
        assert [problem.code for problem in refused.value.problems] == ["ALREADY_EXISTS"]
    await world.cancel(subscription, "2026-01-20")
    with pytest.raises(RefusedError, match="closed through") as refused:
        await world.subscribe(customer, credited, "2026-01-21", "2026-01-10")
    assert refused.value.problems[0].path == ("startedAt",)
    assert await CustomerSubscription.filter(organization_id=world.id).count() == 1
    await world.subscribe(await world.customer("other"), priced, "2026-01-02")


async def test_usage_before_the_first_subscription_burns_no_credit(world: World) -> None:
    customer, meter = await world.customer(), await world.meter()
    await world.use(customer, ("2025-12-10", 30))
    await world.credit(customer, meter, 100, "2025-12-20")
    assert await world.balance(customer, meter) == (30, 100)
    await world.credit(customer, meter, -20, "2025-12-21")
    product = await world.product(world.per_unit(meter))
    await world.subscribe(customer, product, "2026-01-01")
    assert await world.balance(customer, meter) == (0, 80)
    await world.use(customer, ("2025-12-15", 7), ("2026-01-02", 90))
    await world.cycle("2026-02-01")
    [invoice] = await world.invoices()
    assert (invoice.lines[0].credited, invoice.amounts) == (80, [10])
    # What came late for the time before is never billed either.
    await world.use(customer, ("2025-12-16", 1000))
    await world.cycle("2026-03-01")
    assert [found.amounts for found in await world.invoices()] == [[10], [0]]


async def test_new_benefits_come_with_the_next_period(world: World) -> None:
    customer = await world.customer()
    tokens, calls = await world.meter(), await world.meter(name="calls")
    old = await world.benefit(tokens, 10, rollover=True)
    product = await world.product(world.fixed(), benefits=[old])
    await world.subscribe(customer, product, "2026-01-01")
    new = await world.benefit(calls, 20)
    await world.give_benefits(product, [new], "2026-01-02")
    assert await world.balance(customer, tokens) == (0, 10)
    other = await world.product(world.per_unit(calls))
    with pytest.raises(RefusedError):
        await world.subscribe(customer, other, "2026-01-02")
    await world.cycle("2026-02-01")
    assert await world.balance(customer, calls) == (0, 20)
    # The meter left the product: what rolled stays the customer's.
    assert await world.balance(customer, tokens) == (0, 10)
    await world.subscribe(customer, await world.product(world.per_unit(tokens)), "2026-02-10")
    assert await world.balance(customer, tokens) == (0, 10)


@pytest.mark.parametrize(
    ("interval", "end"),
    [
        (RecurringInterval.DAY, "2024-03-01"),
        (RecurringInterval.WEEK, "2024-03-07"),
        (RecurringInterval.MONTH, "2024-03-29"),
        (RecurringInterval.YEAR, "2025-02-28"),
    ],
)
async def test_a_period_of_each_interval(
    world: World, interval: RecurringInterval, end: str
) -> None:
    product = await world.product(world.fixed(), interval=interval)
    subscription = await world.subscribe(await world.customer(), product, "2024-02-29")
    assert subscription.current_period_end == instant(end)
    assert (await world.cycle(end)).renewed == 1


async def test_the_clock_going_backwards_undoes_and_repeats_nothing(world: World) -> None:
    customer, meter = await world.customer(), await world.meter()
    product = await world.product(world.per_unit(meter), benefits=[await world.benefit(meter, 10)])
    subscription = await world.subscribe(customer, product, "2026-01-01")
    await world.cycle("2026-02-01")
    before = await world.ledger(customer, meter)
    assert (await world.cycle("2026-01-15")).renewed == 0
    assert await world.ledger(customer, meter) == before
    await world.credit(customer, meter, 1, "2026-01-15")
    canceled = await world.cancel(subscription, "2026-01-16")
    assert canceled.ended_at == canceled.current_period_start == instant("2026-02-01")
    assert [invoice.lines[0].consumed for invoice in await world.invoices()] == [0, 0]
    again = await world.subscribe(customer, product, "2026-01-17")
    assert again.current_period_start == instant("2026-02-01")

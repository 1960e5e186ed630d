"""Discounts of subscriptions: a percentage or an amount off their invoices."""

from typing import Any

import pytest

from billing.invoicing.estimates import upcoming_invoices
from metering.problems import RefusedError
from models import Customer, CustomerSubscription
from tests.billing.discounted import customer, discounts, product, said, subscription
from tests.billing.world import World

__all__ = ["customer", "product", "subscription"]  # fixtures


async def test_a_percentage_is_taken_off_all_other_lines(
    world: World, customer: Customer, subscription: CustomerSubscription
) -> None:
    await world.discount(subscription, "2026-01-02", percent="12.5")
    await world.use(customer, ("2026-01-05", 141))
    estimate = (await upcoming_invoices(world.id, [subscription.id]))[subscription.id]
    await world.cycle("2026-02-01")
    invoice = (await world.invoices())[-1]
    # 12.5 % of 3,241 is 405.125.
    assert said(invoice) == [("METERED", 141), ("FIXED", 3_100), ("DISCOUNT", -405)]
    assert invoice.invoice.total == 2_836
    assert [(line.kind, line.amount) for line in estimate.lines] == said(invoice)


async def test_an_amount_takes_off_no_more_than_there_is(
    world: World, customer: Customer, subscription: CustomerSubscription
) -> None:
    await world.discount(subscription, "2026-01-02", amount=5_000)
    await world.cycle("2026-02-01")
    await world.use(customer, ("2026-02-05", 4_000))
    await world.cycle("2026-03-01")
    assert await discounts(world) == [-3_100, -5_000]
    assert [invoice.invoice.total for invoice in await world.invoices()] == [3_100, 0, 2_100]


async def test_it_ends_after_its_periods(world: World, subscription: CustomerSubscription) -> None:
    await world.discount(subscription, "2026-01-02", percent=50, periods=2)
    left = []
    for month in ("02", "03", "04"):
        await world.cycle(f"2026-{month}-01")
        row = await CustomerSubscription.get(id=subscription.id)
        left.append((row.discount, row.discount_periods))
    assert await discounts(world) == [-1_550, -1_550, 0]
    assert left == [({"percentOff": "50"}, 1), (None, None), (None, None)]


async def test_late_usage_is_discounted_as_its_period_was(
    world: World, customer: Customer, subscription: CustomerSubscription
) -> None:
    await world.discount(subscription, "2026-01-02", percent=50, periods=1)
    await world.use(customer, ("2026-01-05", 100))
    await world.cycle("2026-02-01")
    await world.use(customer, ("2026-01-06", 60), ("2026-02-06", 1_000))
    await world.cycle("2026-03-01")
    first, second = (await world.invoices())[1:]
    assert ("DISCOUNT", -1_600) in said(first)
    # Half of the correction; the discount is over, so the rest is charged in full.
    assert said(second) == [
        ("METERED", 1_000),
        ("CORRECTION", 60),
        ("FIXED", 3_100),
        ("DISCOUNT", -30),
    ]


async def test_an_amount_that_was_too_large_also_covers_late_usage(
    world: World, customer: Customer, subscription: CustomerSubscription
) -> None:
    await world.discount(subscription, "2026-01-02", amount=3_250, periods=1)
    await world.use(customer, ("2026-01-05", 100))
    await world.cycle("2026-02-01")
    await world.use(customer, ("2026-01-06", 80))
    await world.cycle("2026-03-01")
    # 50 of the amount were left.
    assert await discounts(world) == [-3_200, -50]


async def test_usage_that_turns_out_to_be_less_is_given_back_less_the_discount(
    world: World, customer: Customer, subscription: CustomerSubscription
) -> None:
    await world.discount(subscription, "2026-01-02", percent=50, periods=1)
    await world.use(customer, ("2026-01-05", 100))
    await world.cycle("2026-02-01")
    await world.use(customer, ("2026-01-06", -60))
    await world.cycle("2026-03-01")
    last = (await world.invoices())[-1]
    assert ("CORRECTION", -60) in said(last)
    assert ("DISCOUNT", 30) in said(last)


async def test_it_comes_after_the_minimum_and_before_a_balance(
    world: World, customer: Customer
) -> None:
    product = await world.product(world.per_unit(await world.meter()), minimum=1_000)
    subscription = await world.subscribe(customer, product, "2026-01-01")
    await world.discount(subscription, "2026-01-02", percent=10)
    await world.cycle("2026-02-01")
    first = (await world.invoices())[-1]
    assert said(first) == [("METERED", 0), ("MINIMUM", 1_000), ("DISCOUNT", -100)]
    await world.note(first.invoice, 300, "2026-02-02")
    await world.cycle("2026-03-01")
    last = (await world.invoices())[-1]
    assert said(last) == [
        ("METERED", 0),
        ("MINIMUM", 1_000),
        ("DISCOUNT", -100),
        ("BALANCE", -300),
    ]


async def test_a_credit_note_takes_off_no_more_than_the_discounted_total(
    world: World, subscription: CustomerSubscription
) -> None:
    await world.discount(subscription, "2026-01-02", percent=90)
    await world.cycle("2026-02-01")
    last = (await world.invoices())[-1].invoice
    with pytest.raises(RefusedError, match="At most 310 minor units"):
        await world.note(last, 311, "2026-02-02")


async def test_a_voided_invoice_is_billed_again_with_its_discount(
    world: World, customer: Customer, subscription: CustomerSubscription
) -> None:
    await world.discount(subscription, "2026-01-02", percent=50, periods=1)
    await world.use(customer, ("2026-01-05", 100))
    await world.cycle("2026-02-01")
    await world.void((await world.invoices())[-1].invoice, "2026-02-02")
    await world.use(customer, ("2026-01-06", 60))
    await world.cycle("2026-03-01")
    # Half of January's 160 and of February's price, and all of March's.
    assert (await world.invoices())[-1].invoice.total == 80 + 1_550 + 3_100


async def test_a_draft_has_the_discount_of_its_period(
    world: World, customer: Customer, subscription: CustomerSubscription
) -> None:
    await world.grace(48)
    await world.discount(subscription, "2026-01-02", percent=50, periods=1)
    await world.cycle("2026-02-01")
    await world.discount(subscription, "2026-02-01T12:00")
    await world.use(customer, ("2026-01-06", 60))
    [(_draft, estimate)] = await world.drafts()
    assert estimate.total == 1_580
    await world.cycle("2026-02-03")
    assert (await world.invoices())[-1].invoice.total == 1_580


@pytest.mark.parametrize(
    ("discount", "path"),
    [
        ({"percent": 0}, "percentOff"),
        ({"percent": "100.0001"}, "percentOff"),
        ({"percent": "0.0000000000001"}, "percentOff"),
        ({"amount": 0}, "amountOff"),
        ({"amount": 10**15 + 1}, "amountOff"),
        ({"percent": 5, "amount": 5}, "amountOff"),
        ({"percent": 5, "periods": 0}, "periods"),
        ({"percent": 5, "periods": 1_001}, "periods"),
        ({"periods": 3}, "periods"),
    ],
)
async def test_impossible_discounts_are_refused(
    world: World, subscription: CustomerSubscription, discount: dict[str, Any], path: str
) -> None:
    with pytest.raises(RefusedError) as refused:
        await world.discount(subscription, "2026-01-02", **discount)
    assert [problem.path for problem in refused.value.problems] == [(path,)]


async def test_what_has_ended_gets_no_discount(
    world: World, subscription: CustomerSubscription
) -> None:
    await world.cancel(subscription, "2026-01-10")
    with pytest.raises(RefusedError, match="already ended"):
        await world.discount(subscription, "2026-01-11", percent=5)

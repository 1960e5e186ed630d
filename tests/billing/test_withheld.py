"""An amount that clients would misread is on no invoice, holds up nobody else, and is seen."""

from decimal import Decimal
from uuid import UUID

import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from billing.catalog.prices import MeteredDraft
from billing.periods.intervals import RecurringInterval
from billing.subscriptions.rehearsal import rehearse_cycle
from metering.problems import RefusedError
from models import CustomerSubscription, ProductPrice
from tests.billing.world import World, instant

LARGEST = 2**53 - 1


async def problem_of(subscription: CustomerSubscription) -> str | None:
    await subscription.refresh_from_db()
    return subscription.invoicing_problem


async def test_the_largest_amount_is_billed_and_one_more_is_withheld(world: World) -> None:
    meter = await world.meter()
    product = await world.product(world.per_unit(meter))
    most, more = await world.customer("most"), await world.customer("more")
    first = await world.subscribe(most, product, "2026-01-01")
    second = await world.subscribe(more, product, "2026-01-01")
    await world.use(most, ("2026-01-10", LARGEST))
    await world.use(more, ("2026-01-10", LARGEST), ("2026-01-11", 1))

    with capture_logs() as logs:
        await world.cycle("2026-02-01")
        await world.cycle("2026-02-01T00:00:10")

    [billed] = await world.invoices()
    assert (billed.invoice.customer_id, billed.amounts) == (most.id, [LARGEST])
    assert await problem_of(first) is None
    expected = (
        "SUM of ai_usage: 9,007,199,254,740,992 is beyond ±9,007,199,254,740,991 minor units."
    )
    assert await problem_of(second) == expected
    [said] = [log for log in logs if log["event"] == "an invoice is withheld"]
    assert said["log_level"] == "error"
    assert (said["subscription_id"], said["reason"]) == (str(second.id), expected)


async def test_a_withheld_invoice_is_made_once_its_usage_is_corrected(world: World) -> None:
    customer, _meter, subscription = await world.subscribed(fixed=500)
    await world.use(customer, ("2026-01-10", 10**30), ("2026-02-10", 3))
    await world.cycle("2026-02-01")
    # Periods turn as ever; none of them overtakes the one that is withheld.
    await world.cycle("2026-03-01")
    assert len(await world.invoices()) == 1
    assert await problem_of(subscription) is not None

    await world.use(customer, ("2026-01-11", 7 - 10**30))
    await world.cycle("2026-03-01T00:00:10")

    assert await problem_of(subscription) is None
    amounts = [invoice.amounts for invoice in await world.invoices()]
    assert amounts == [[500], [7, 500], [3, 500]]


async def test_amounts_that_are_too_large_together_are_withheld(world: World) -> None:
    customer = await world.customer()
    meters = [await world.meter(), await world.meter(name="other")]
    product = await world.product(*(world.per_unit(meter) for meter in meters))
    subscription = await world.subscribe(customer, product, "2026-01-01")
    await world.send(customer, ("2026-01-10", LARGEST))
    await world.send(customer, ("2026-01-10", 1), name="other")
    await world.count()
    await world.cycle("2026-02-01")
    assert await world.invoices() == []
    problem = await problem_of(subscription)
    assert problem is not None
    assert problem.startswith("The total, 9,007,199,254,740,992, is beyond")


async def test_a_correction_that_is_too_large_waits_until_it_is_mended(world: World) -> None:
    customer, meter = await world.customer(), await world.meter()
    product = await world.product(world.per_unit(meter), interval=RecurringInterval.YEAR)
    subscription = await world.subscribe(customer, product, "2026-01-01")
    await world.use(customer, ("2026-01-10", 5))
    await world.cancel(subscription, "2026-01-20")
    await world.use(customer, ("2026-01-11", LARGEST), ("2026-01-12", LARGEST))
    await world.cycle("2026-03-01")
    await world.cycle("2026-03-02")
    assert [invoice.amounts for invoice in await world.invoices()] == [[5]]
    assert await problem_of(subscription) is not None
    await world.use(customer, ("2026-01-13", -LARGEST))
    await world.cycle("2026-03-03")
    assert await problem_of(subscription) is None
    assert [invoice.amounts for invoice in await world.invoices()] == [[5], [LARGEST]]


async def test_a_cap_keeps_an_amount_within_bounds(world: World) -> None:
    customer, meter = await world.customer(), await world.meter()
    price = MeteredDraft("USD", meter.id, parameters={"unit_amount": Decimal(1)}, cap_amount=100)
    await world.subscribe(customer, await world.product(price), "2026-01-01")
    await world.use(customer, ("2026-01-10", 10**30))
    await world.cycle("2026-02-01")
    assert [invoice.amounts for invoice in await world.invoices()] == [[100]]


async def test_fixed_prices_that_are_too_large_together_are_not_sold(world: World) -> None:
    with pytest.raises(RefusedError, match="together"):
        await world.product(world.fixed(10**15), world.fixed(1))
    # One from before that was checked.
    product = await world.product(world.fixed(1), world.fixed(1))
    await ProductPrice.filter(organization_id=world.id).update(amount=LARGEST)
    with pytest.raises(RefusedError, match="too large") as refused:
        await world.subscribe(await world.customer(), product, "2026-01-01")
    assert refused.value.problems[0].path == ("productId",)


async def test_a_rehearsal_says_that_it_withholds_nothing_for_good(world: World) -> None:
    async def counted(_organization_id: UUID) -> None:
        await world.count()

    customer, _meter, subscription = await world.subscribed()
    await world.use(customer, ("2026-01-10", LARGEST), ("2026-01-11", 1))

    with capture_logs([merge_contextvars]) as logs:
        await rehearse_cycle(world.id, instant("2026-02-01"), counted)
        await world.cycle("2026-02-01")

    said = [log.get("dry_run") for log in logs if log["event"] == "an invoice is withheld"]
    assert said == [True, None]
    assert await problem_of(subscription) is not None

"""Changes that make no sense, come at once, or meet usage or a clock that is not as expected."""

import asyncio
from decimal import Decimal

import pytest

from billing.catalog.prices import MeteredDraft
from billing.subscriptions.life import CancelWhen
from metering.problems import RefusedError
from tests.billing.plans import Plans
from tests.billing.world import World, instant

LATER = CancelWhen.PERIOD_END


async def test_changes_that_make_no_sense(world: World, plans: Plans) -> None:
    euro = await world.product(
        MeteredDraft(
            "EUR", (await world.meter(name="e")).id, parameters={"unit_amount": Decimal(1)}
        )
    )
    gone = await world.product(world.fixed())
    await gone.filter(id=gone.id).update(archived_at=instant("2026-01-01"))
    one = plans.subscription
    for message, path, product, quantity in (
        ("Give a productId", "productId", None, None),
        ("already has this product", "productId", plans.pro, None),
        ("already has this product", "quantity", None, 1),
        ("is in USD", "productId", euro, None),
        ("archived", "productId", gone, None),
        ("at least 1", "quantity", plans.scale, 0),
    ):
        with pytest.raises(RefusedError, match=message) as refused:
            await world.change(one, "2026-01-05", product, quantity)
        assert refused.value.problems[0].path == (path,)
    assert len(await world.invoices()) == 1
    await world.cancel(one, "2026-01-10")
    with pytest.raises(RefusedError, match="already ended"):
        await world.change(one, "2026-01-11", plans.scale)


async def test_two_changes_and_workers_at_once(world: World, plans: Plans) -> None:
    await world.use(plans.customer, ("2026-01-05", 320))
    results = await asyncio.gather(
        world.change(plans.subscription, "2026-02-01T00:00:01", plans.scale, 2),
        world.change(plans.subscription, "2026-02-01T00:00:01", plans.scale, 2),
        world.cycle("2026-02-01T00:00:02"),
        world.cycle("2026-02-01T00:00:02"),
        return_exceptions=True,
    )
    assert [type(one) for one in results].count(RefusedError) == 1
    invoices = await world.invoices()
    assert [one.kinds for one in invoices] == [
        ["FIXED"],
        ["METERED", "FIXED"],
        ["METERED", "PRORATION", "PRORATION"],
    ]
    assert [one.invoice.sequence for one in invoices] == [1, 2, 3]
    await world.cycle("2026-03-01")
    assert (await world.invoices())[-1].amounts == [0, 12400]


async def test_usage_that_is_not_counted_yet_is_corrected(world: World, plans: Plans) -> None:
    await world.send(plans.customer, ("2026-01-05", 320), ("2026-01-12", 3))
    invoice = await world.change(plans.subscription, "2026-01-11", plans.scale)
    assert invoice is not None
    assert invoice.amounts == [0, -2100, 4200]
    await world.count()
    await world.cycle("2026-01-12")
    assert await world.balance(plans.customer, plans.meter) == (3, 420)
    await world.cycle("2026-02-01")
    assert (await world.invoices())[-1].amounts == [0, 100, 6200]


async def test_a_clock_that_was_set_back_changes_the_period_from_its_start(
    world: World, plans: Plans
) -> None:
    await world.cycle("2026-02-01")
    invoice = await world.change(plans.subscription, "2026-01-20", plans.scale)
    assert invoice is not None
    assert invoice.amounts == [0, -3100, 6200]
    assert invoice.lines[1].period_start == instant("2026-02-01")

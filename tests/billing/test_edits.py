"""An edit never reaches a period that began before it, though nobody has turned it yet."""

import asyncio
from collections.abc import Sequence
from contextvars import Context

import pytest
from tortoise.transactions import in_transaction

from billing.catalog.products import ProductChanges, update_product
from billing.subscriptions import cycle, renewal
from billing.subscriptions.life import CancelWhen
from billing.subscriptions.live_subscriptions import LiveSubscription
from billing.transaction import BillingTransaction
from config import clock
from metering.problems import RefusedError
from models import Customer, Meter, Product
from tests.billing.world import World, instant

CUSTOMERS = 7


async def subscribed(world: World) -> tuple[Meter, Product, list[Customer]]:
    """Customers of a product with 100 units of credit, each of which uses 50 in February."""
    meter = await world.meter()
    benefit = await world.benefit(meter, 100)
    product = await world.product(world.per_unit(meter), benefits=[benefit])
    customers = [await world.customer(f"customer {number}") for number in range(CUSTOMERS)]
    for customer in customers:
        await world.subscribe(customer, product, "2026-01-01")
        await world.send(customer, ("2026-02-10", 50))
    await world.count()
    return meter, product, customers


async def test_other_benefits_a_moment_after_the_boundary_are_for_the_period_after(
    world: World,
) -> None:
    meter, product, _customers = await subscribed(world)
    fewer = await world.benefit(meter, 5)
    await world.give_benefits(product, [fewer], "2026-02-01T00:00:00.000001")
    await world.cycle("2026-03-01")
    billed = [invoice.lines[0] for invoice in await world.invoices()]
    assert [line.credited for line in billed] == [0] * CUSTOMERS + [50] * CUSTOMERS
    grants = await world.query(
        "SELECT units FROM credit_entry WHERE organization_id = $1 AND kind = 'GRANT' ORDER BY id"
    )
    assert [row["units"] for row in grants] == [100] * 2 * CUSTOMERS + [5] * CUSTOMERS


async def test_an_edit_turns_a_chunk_of_subscriptions_at_a_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _meter, product, _customers = await subscribed(world)
    monkeypatch.setattr(cycle, "CHUNK", 3)
    chunks: list[int] = []

    async def killed_third(log: BillingTransaction, due: Sequence[LiveSubscription]) -> None:
        chunks.append(len(due))
        if len(chunks) == 3:
            raise ConnectionError
        await renewal.renew_subscriptions(log, due)

    monkeypatch.setattr(cycle, "renew_subscriptions", killed_third)
    with pytest.raises(ConnectionError):
        await world.give_benefits(product, [], "2026-02-01")
    # What was turned stays turned, and nothing was edited.
    turned = await world.query("SELECT id FROM subscription_period WHERE organization_id = $1")
    brought = await world.query("SELECT id FROM product_benefit WHERE organization_id = $1")
    assert (chunks, len(turned), len(brought)) == ([3, 3, 1], 6, 1)
    await world.give_benefits(product, [], "2026-02-01")
    assert chunks[3:] == [1]
    assert not await world.query("SELECT id FROM product_benefit WHERE organization_id = $1")


async def test_edits_and_workers_at_once_turn_everything_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    meter, product, customers = await subscribed(world)
    monkeypatch.setattr(cycle, "CHUNK", 2)
    await asyncio.gather(
        world.give_benefits(product, [], "2026-02-01T00:00:01"),
        world.cycle("2026-02-01T00:00:02"),
        world.cycle("2026-02-01T00:00:03"),
        *(world.credit(customer, meter, 1, "2026-02-01T00:00:04") for customer in customers),
    )
    await world.cycle("2026-03-01")
    granted = await world.query(
        "SELECT units FROM credit_entry WHERE organization_id = $1 AND kind = 'GRANT'"
    )
    assert [row["units"] for row in granted] == [100] * 2 * CUSTOMERS
    periods = await world.query("SELECT id FROM subscription_period WHERE organization_id = $1")
    assert len(periods) == 2 * CUSTOMERS


async def test_who_was_cancelled_a_moment_ago_can_subscribe_again(world: World) -> None:
    customer, meter = await world.customer(), await world.meter()
    product = await world.product(world.fixed(), world.per_unit(meter))
    first = await world.subscribe(customer, product, "2026-01-01")
    await world.use(customer, ("2026-01-10", 30))
    await world.cancel(first, "2026-01-15", CancelWhen.PERIOD_END)
    with pytest.raises(RefusedError, match="another subscription"):
        await world.subscribe(customer, product, "2026-01-31T23:59:59")
    again = await world.subscribe(customer, product, "2026-02-01T00:00:01")
    assert again.started_at == instant("2026-02-01T00:00:01")
    await first.refresh_from_db()
    assert (first.status, first.ended_at) == ("CANCELED", instant("2026-02-01"))
    amounts = [invoice.amounts for invoice in await world.invoices()]
    assert amounts == [[2000], [30], [2000]]


async def test_a_refused_edit_changes_nothing_but_what_was_due(world: World) -> None:
    _meter, product, customers = await subscribed(world)
    with pytest.raises(RefusedError, match="no benefit"), clock.at(instant("2026-02-02")):
        await update_product(world.id, product.id, ProductChanges(name="Other", benefit_ids=[None]))
    await product.refresh_from_db()
    assert product.name == "AI plan"
    assert len(await world.invoices()) == len(customers)


async def test_an_edit_waits_for_a_subscription_that_somebody_else_holds(world: World) -> None:
    _meter, product, _customers = await subscribed(world)
    async with in_transaction() as connection:
        await connection.execute_query(
            "SELECT FROM customer_subscription WHERE organization_id = $1 FOR UPDATE", [world.id]
        )
        work = world.give_benefits(product, [], "2026-02-01")
        editing = asyncio.create_task(work, context=Context())
        done, _pending = await asyncio.wait([editing], timeout=0.2)
        assert not done
    await editing
    turned = await world.query("SELECT id FROM subscription_period WHERE organization_id = $1")
    assert len(turned) == CUSTOMERS

"""Erasing a customer changes nothing in the books, and waits for what is not in them yet."""

from typing import Any

import pytest
from tortoise.transactions import in_transaction

from billing.erasing import erase_customer
from metering.problems import RefusedError
from models import Customer, CustomerSubscription, Meter
from tests.billing.rated import by_model
from tests.billing.world import World
from tests.metering.erasing import begin_erasing, erase_all

BOOKS = ("invoice", "invoice_line", "metered_period", "subscription_period", "credit_entry")


async def books(world: World) -> dict[str, list[str]]:
    found = {}
    for table in (*BOOKS, "customer_meter", "balance_entry"):
        rows = await world.query(
            f"SELECT t::text AS row FROM {table} AS t WHERE organization_id = $1"
        )
        found[table] = sorted(row["row"] for row in rows)
    return found


async def refusals(world: World, customer: Customer) -> list[str]:
    """Why the customer cannot be erased."""
    with pytest.raises(RefusedError) as refused:
        async with in_transaction() as connection:
            await erase_customer(connection, world.id, customer.id, "id")
    assert {one.code for one in refused.value.problems} == {"IN_USE"}
    return [one.message for one in refused.value.problems]


async def history(world: World) -> tuple[Customer, Meter, Any]:
    """A month of usage at rates by dimension, and some of the next."""
    customer, meter = await world.customer(), await world.meter(dimensions=["model", "kind"])
    product = await world.product(by_model(meter), world.fixed(500))
    subscription = await world.subscribe(customer, product, "2026-01-01")
    await world.use(customer, ("2026-01-05T10:20", 100), model="large", kind="output")
    await world.use(customer, ("2026-01-06T11:40", 10), model="large", kind="input")
    await world.cycle("2026-02-01")
    await world.use(customer, ("2026-02-03T01:07", 7), model="small", kind="output")
    return customer, meter, subscription


async def test_the_books_stay_as_they_are(world: World) -> None:
    customer, _meter, subscription = await history(world)
    await world.credit(customer, _meter, 25, "2026-02-04")
    [message] = await refusals(world, customer)
    assert message.endswith("is active.")
    await world.cancel(subscription, "2026-02-10T05:13")
    await world.cycle("2026-02-11")
    before = await books(world)
    assert all(before[table] for table in BOOKS)
    await begin_erasing(world.id, customer.id)
    await erase_all(world.id, customer.id)
    await world.cycle("2026-06-01")
    assert await books(world) == before


async def test_late_usage_is_billed_first(world: World) -> None:
    customer, _meter, subscription = await history(world)
    await world.cancel(subscription, "2026-02-10")
    await world.cycle("2026-02-11")
    await world.use(customer, ("2026-02-05", 1_000), model="large", kind="output")
    [message] = await refusals(world, customer)
    assert message.endswith("is not issued yet.")
    await world.cycle("2026-02-12")
    [subscription] = await CustomerSubscription.filter(organization_id=world.id)
    assert subscription.corrections_due_at is not None
    [message] = await refusals(world, customer)
    assert f"{subscription.corrections_due_at:%Y-%m-%dT%H:%M}" in message
    await world.cycle("2026-06-01")
    before = await books(world)
    await begin_erasing(world.id, customer.id)
    await erase_all(world.id, customer.id)
    assert await books(world) == before


async def test_what_arrives_later_is_counted_and_not_billed(world: World) -> None:
    """The event was stored before the customer was erased, and is counted afterwards."""
    customer, meter, subscription = await history(world)
    await world.cancel(subscription, "2026-02-10")
    await world.cycle("2026-02-11")
    before = await books(world)
    await world.send(customer, ("2026-02-05", 1_000), model="large", kind="output")
    await begin_erasing(world.id, customer.id)
    await erase_all(world.id, customer.id)
    await world.cycle("2026-06-01")
    after = await books(world)
    assert {table: after[table] for table in BOOKS} == {table: before[table] for table in BOOKS}
    await meter.refresh_from_db()
    assert meter.counted_events == 4


async def test_a_voided_invoice_of_an_erased_customer_is_not_billed_again(world: World) -> None:
    customer, _meter, subscription = await history(world)
    await world.cancel(subscription, "2026-02-10T05:13")
    await world.cycle("2026-02-11")
    *_, january, last = [one.invoice for one in await world.invoices()]
    await begin_erasing(world.id, customer.id)
    with pytest.raises(RefusedError, match="erased") as refused:
        await world.void(january, "2026-02-12")
    assert [(one.code, one.path) for one in refused.value.problems] == [("INVALID", ("writeOff",))]
    await world.void(january, "2026-02-12", write_off=True)
    await world.cycle("2026-06-01")
    assert (await world.invoices())[-1].invoice.id == last.id

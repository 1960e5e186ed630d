"""A meter goes on counting until everything that it counts is billed."""

import asyncio
from collections.abc import Sequence
from contextvars import Context
from typing import Any
from uuid import UUID

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from billing.catalog import products
from billing.catalog.benefits import check_benefits
from billing.catalog.products import archive_product
from billing.periods.billed_meters import meter_in_use
from billing.subscriptions.life import CancelWhen
from metering.meters import archive_meter
from metering.problems import RefusedError
from models import Meter
from tests.billing.world import World


async def refusal(world: World, meter: Meter) -> str | None:
    """Why the meter may not be archived; None where it now is."""
    try:
        await archive_meter(world.id, meter.id, meter_in_use)
    except RefusedError as refused:
        (found,) = refused.problems
        assert (found.code, found.path) == ("IN_USE", ("id",))
        return found.message
    return None


OF_SUBSCRIPTION = "A subscription uses this meter until it ends."
OF_INVOICE = "Usage of this meter is still to be invoiced."


async def test_a_priced_meter_outlives_its_product_until_the_last_invoice(world: World) -> None:
    customer, meter = await world.customer(), await world.meter()
    product = await world.product(world.per_unit(meter))
    subscription = await world.subscribe(customer, product, "2026-01-01")
    assert await refusal(world, meter) == "A product's price or benefit uses this meter."
    await archive_product(world.id, product.id)
    assert await refusal(world, meter) == OF_SUBSCRIPTION
    await world.cancel(subscription, "2026-01-15", CancelWhen.PERIOD_END)
    await world.use(customer, ("2026-01-20", 7))
    assert await refusal(world, meter) == OF_SUBSCRIPTION
    # Stored within the period and not counted yet: its invoice waits.
    await world.send(customer, ("2026-01-21", 5))
    await world.received("2026-01-21")
    await world.cycle("2026-02-01")
    assert await refusal(world, meter) == OF_INVOICE
    await world.count()
    await world.cycle("2026-02-01T00:00:10")
    assert [invoice.amounts for invoice in await world.invoices()] == [[12]]
    # A correction is due.
    await world.use(customer, ("2026-01-22", 3))
    await world.cycle("2026-02-02")
    assert await refusal(world, meter) == OF_INVOICE
    await world.cycle("2026-03-02")
    assert [invoice.amounts for invoice in await world.invoices()] == [[12], [3]]
    assert await refusal(world, meter) is None


async def test_a_credited_meter_outlives_its_product_and_a_benefit_that_left_it(
    world: World,
) -> None:
    customer, meter = await world.customer(), await world.meter()
    product = await world.product(world.fixed(), benefits=[await world.benefit(meter, 10)])
    await world.subscribe(customer, product, "2026-01-01")
    await world.give_benefits(product, [], "2026-01-05")
    assert await refusal(world, meter) == OF_SUBSCRIPTION
    await archive_product(world.id, product.id)
    assert await refusal(world, meter) == OF_SUBSCRIPTION
    await world.cycle("2026-02-01")
    assert await refusal(world, meter) is None


async def test_a_meter_is_not_archived_while_a_product_is_made_of_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    meter = await world.meter()
    archiving: list[asyncio.Task[Meter]] = []

    async def archived_meanwhile(
        connection: BaseDBAsyncClient, organization_id: UUID, benefit_ids: Sequence[UUID | None]
    ) -> Any:
        work = archive_meter(world.id, meter.id, meter_in_use)
        archiving.append(asyncio.create_task(work, context=Context()))
        # Long enough to archive it, were it free; it must wait for the product instead.
        await asyncio.wait(archiving, timeout=0.3)
        return await check_benefits(connection, organization_id, benefit_ids)

    monkeypatch.setattr(products, "check_benefits", archived_meanwhile)
    await world.product(world.per_unit(meter))

    with pytest.raises(RefusedError) as refused:
        await archiving[0]
    assert refused.value.problems[0].code == "IN_USE"

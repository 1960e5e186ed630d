"""Meters that are behind while the periods of their customers change."""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any
from uuid import UUID

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from metering.audit.recompute import recompute_customer_meter
from metering.counting import catch_up as catching_up
from metering.counting.log import LogState, lock_log
from metering.language.aggregations import AggregationFunction
from metering.meters import MeterChanges, update_meter
from models import Customer, CustomerMeter, Meter
from tests.billing.world import World
from tests.ingesting import catch_up_all, named


async def elsewhere(work: Coroutine[Any, Any, Any]) -> None:
    """Does it as another process would: outside of the transaction that is open here."""
    # It must not wait for what is open here, which would be for ever.
    async with asyncio.timeout(60):
        await asyncio.create_task(work, context=Context())


def before_the_log_is_held(
    monkeypatch: pytest.MonkeyPatch, work: Callable[[], Coroutine[Any, Any, Any]]
) -> None:
    """Has it happen between the counting of the next chunk of history and its merging."""
    works = [work]

    async def held(connection: BaseDBAsyncClient, organization_id: UUID) -> LogState:
        if works:
            await elsewhere(works.pop()())
        return await lock_log(connection, organization_id)

    monkeypatch.setattr(catching_up, "lock_log", held)


async def drifts(world: World, customer: Customer, meter: Meter) -> tuple[Any, ...]:
    """What is cached of the customer otherwise than the events say."""
    row = await CustomerMeter.get(
        organization_id=world.id, customer_id=customer.id, meter_id=meter.id
    )
    found = await recompute_customer_meter(world.id, row.id)
    assert found is not None
    return found.drifts


@pytest.mark.parametrize("change", ["turns", "ends"])
@pytest.mark.parametrize("function", AggregationFunction)
async def test_a_period_that_is_over_when_its_history_is_counted(
    world: World, monkeypatch: pytest.MonkeyPatch, function: AggregationFunction, change: str
) -> None:
    customer = await world.customer()
    await world.use(customer, ("2026-02-02", 7), ("2026-02-03", 7), ("2026-02-04", 9))
    meter = await world.meter(function)
    product = await world.product(world.per_unit(meter))
    subscription = await world.subscribe(customer, product, "2026-01-05", "2026-01-01")

    # All of that was outside of the period when it was counted, and is inside when it is merged.
    before_the_log_is_held(
        monkeypatch,
        lambda: (
            world.cycle("2026-02-05")
            if change == "turns"
            else world.cancel(subscription, "2026-01-20")
        ),
    )
    await catch_up_all(world.id)

    assert await drifts(world, customer, meter) == ()


async def test_distinct_values_of_a_chunk_hold_up_no_subscription(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = await world.customer()
    await world.use(customer, ("2025-12-10", 7))
    await world.use(customer, ("2026-01-10", 7))
    monkeypatch.setattr(catching_up, "CHUNK_BATCHES", 1)
    monkeypatch.setattr(catching_up, "LAST_STRETCH_EVENTS", 0)
    meter = await world.meter(AggregationFunction.UNIQUE)
    product = await world.product(world.per_unit(meter))
    subscription = await world.subscribe(customer, product, "2026-01-05", "2026-01-01")
    await catching_up.catch_up(world.id, meter.id)

    # The second chunk brings the value into the period; the time since its end has it, too.
    before_the_log_is_held(monkeypatch, lambda: world.cancel(subscription, "2026-01-08"))
    await catch_up_all(world.id)

    assert await world.balance(customer, meter) == (1, 0)
    assert await drifts(world, customer, meter) == ()


async def test_usage_that_an_edited_meter_finds_in_closed_periods_is_billed(world: World) -> None:
    customer, meter = await world.customer(), await world.meter(name="ai_usgae")
    product = await world.product(world.per_unit(meter))
    subscription = await world.subscribe(customer, product, "2026-01-01")
    await world.use(customer, ("2026-01-10", 5), ("2026-02-10", 3))
    await world.cycle("2026-02-01")

    corrected = named("ai_usage")
    await update_meter(world.id, meter.id, MeterChanges(filter=corrected))
    await catch_up_all(world.id)
    await world.cycle("2026-03-01")

    january, february = await world.invoices(subscription)
    assert (january.kinds, january.amounts) == (["METERED"], [0])
    assert (february.kinds, february.amounts) == (["METERED", "CORRECTION"], [3, 5])
    await world.cycle("2026-04-01")
    assert (await world.invoices(subscription))[-1].amounts == [0]

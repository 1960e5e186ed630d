"""Lines of invoices follow from positions of the log, also where counting changes afterwards."""

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from metering.counting import catch_up as catching_up
from metering.meters import MeterChanges, update_meter
from models import Meter, Organization
from tests.billing.world import World
from tests.ingesting import catch_up_all, named
from tests.metering.poison import (
    POISON,
    accept_poison,
    let_retry,
    refuse_poison,
)


async def test_invoices_wait_for_a_meter_that_fails(
    fresh_database: BaseDBAsyncClient, organization: Organization
) -> None:
    world = World(organization, fresh_database)
    await refuse_poison(fresh_database)
    customer, meter = await world.customer(), await world.meter()
    subscription = await world.subscribe(
        customer, await world.product(world.per_unit(meter)), "2026-01-01"
    )
    await world.use(customer, ("2026-01-10", 3))
    await world.use(customer, ("2026-01-11", POISON))
    await world.received("2026-01-11")
    await world.cycle("2026-02-01")
    assert await world.invoices(subscription) == []
    assert await world.balance(customer, meter) == (0, 0)

    await accept_poison(fresh_database)
    await let_retry(meter)
    await catch_up_all(world.id)
    await world.cycle("2026-02-02")
    await world.cycle("2026-03-01")

    january, february = await world.invoices(subscription)
    assert (january.kinds, january.amounts) == (["METERED"], [3 + POISON])
    assert (february.kinds, february.amounts) == (["METERED"], [0])


async def test_lines_from_before_an_edit_are_told_from_those_after_it(world: World) -> None:
    customer, meter = await world.customer(), await world.meter(name="ai_usgae")
    product = await world.product(world.per_unit(meter))
    subscription = await world.subscribe(customer, product, "2026-01-01")
    await world.use(customer, ("2026-01-10", 5))
    await world.cycle("2026-02-01")
    assert (await Meter.get(id=meter.id)).defined_from is None

    corrected = named("ai_usage")
    await update_meter(world.id, meter.id, MeterChanges(filter=corrected))
    await catch_up_all(world.id)
    await world.cycle("2026-03-01")

    january, february = await world.invoices(subscription)
    assert (january.amounts, february.amounts) == ([0], [0, 5])
    edited = await Meter.get(id=meter.id)
    assert edited.position is None
    assert edited.defined_from is not None
    assert january.lines[0].position < edited.defined_from
    assert edited.defined_from <= min(line.position for line in february.lines)


async def test_no_line_says_what_was_counted_anew_before_the_edits_position(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catching_up, "CHUNK_EVENTS", 1)
    monkeypatch.setattr(catching_up, "LAST_STRETCH_EVENTS", 0)
    customer, meter = await world.customer(), await world.meter(name="ai_usgae")
    product = await world.product(world.per_unit(meter))
    subscription = await world.subscribe(customer, product, "2026-01-01")
    await world.use(customer, ("2026-01-10", 5))
    await world.cycle("2026-02-01")
    await world.use(customer, ("2026-02-10", 7))
    await world.received("2026-02-10")
    await world.use(customer, ("2026-03-01", 11))
    corrected = named("ai_usage")
    await update_meter(world.id, meter.id, MeterChanges(filter=corrected))

    for _chunk in range(2):
        await catching_up.catch_up(world.id, meter.id)
        await world.cycle("2026-03-02")
    behind = await Meter.get(id=meter.id)
    assert behind.position == 2
    assert len(await world.invoices(subscription)) == 1
    await catch_up_all(world.id)
    await world.cycle("2026-03-02")

    january, february = await world.invoices(subscription)
    assert (january.amounts, february.amounts) == ([0], [7, 5])
    assert behind.defined_from is not None
    assert behind.defined_from <= min(line.position for line in february.lines)


async def test_an_edit_of_what_nobody_was_invoiced_for_takes_no_position(world: World) -> None:
    meter = await world.meter(name="ai_usgae")
    corrected = named("ai_usage")
    changed = await update_meter(world.id, meter.id, MeterChanges(filter=corrected))
    assert isinstance(changed, Meter)
    assert (changed.defined_from, changed.position) == (None, None)

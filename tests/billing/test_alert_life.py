"""Alerts are made, changed, disabled and deleted while usage is counted."""

from decimal import Decimal

import pytest

from billing.alerts.life import delete_alert
from metering.alerts.kinds import UsageAlertKind
from models import AlertTrigger
from tests.billing.alerting import BALANCE, CONSUMED, PERCENT, change, make_alert, triggers
from tests.billing.world import World, instant

JANUARY, FEBRUARY = instant("2026-01-01"), instant("2026-02-01")


@pytest.mark.parametrize("kind", [CONSUMED, BALANCE, PERCENT])
async def test_one_that_is_reached_when_it_is_made_triggers_at_once(
    world: World, kind: UsageAlertKind
) -> None:
    customer, meter, _subscription = await world.subscribed(units=100)
    await world.use(customer, ("2026-01-10", 95))
    unconcerned = await world.customer("unconcerned")
    await world.use(unconcerned, ("2026-01-10", 1))
    alert = await make_alert(world, kind, 90 if kind is not BALANCE else 10, meter)
    assert await triggers(world, alert) == [(JANUARY, {BALANCE: 5}.get(kind, 95))]
    await world.use(customer, ("2026-01-11", 1))
    assert len(await triggers(world, alert)) == 1


async def test_a_lower_threshold_triggers_at_once_and_never_again_in_the_period(
    world: World,
) -> None:
    customer, meter, _subscription = await world.subscribed()
    alert = await make_alert(world, CONSUMED, 100, meter)
    await world.use(customer, ("2026-01-10", 60))
    await change(world, alert, threshold=Decimal(50))
    assert await triggers(world, alert) == [(JANUARY, 60)]
    await change(world, alert, threshold=Decimal(70))
    await world.use(customer, ("2026-01-11", 20))
    assert await triggers(world, alert) == [(JANUARY, 60)]


async def test_a_disabled_alert_rests_and_catches_up_when_it_is_enabled(world: World) -> None:
    customer, meter, _subscription = await world.subscribed()
    alert = await make_alert(world, CONSUMED, 100, meter)
    await change(world, alert, is_enabled=False)
    await world.use(customer, ("2026-01-10", 150))
    assert await triggers(world, alert) == []
    await change(world, alert, is_enabled=True)
    assert await triggers(world, alert) == [(JANUARY, 150)]


async def test_a_deleted_alert_is_gone_with_its_triggers(world: World) -> None:
    customer, meter = await world.customer(), await world.meter()
    alert = await make_alert(world, CONSUMED, 10, meter)
    kept = await make_alert(world, CONSUMED, 10, meter)
    await world.use(customer, ("2026-01-10", 10))
    await delete_alert(world.id, alert.id)
    await world.use(customer, ("2026-01-11", 10))
    rows = await AlertTrigger.filter(organization_id=world.id)
    assert [row.alert_id for row in rows] == [kept.id]

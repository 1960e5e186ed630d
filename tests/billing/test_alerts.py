"""Alerts on a meter trigger in the transaction that counts or credits, once a period."""

from decimal import Decimal

import pytest

from billing.periods.billed_meters import meter_in_use
from metering.audit.recompute import recompute_customer_meter
from metering.counting.catch_up import catch_up
from metering.language.aggregations import AggregationFunction
from metering.meters import archive_meter, unarchive_meter
from metering.problems import RefusedError
from models import AlertTrigger, CustomerMeter
from tests.billing.alerting import BALANCE, CONSUMED, PERCENT, make_alert, triggers
from tests.billing.world import World, instant
from tests.outbox import happened, listen

JANUARY, FEBRUARY = instant("2026-01-01"), instant("2026-02-01")


async def test_usage_triggers_when_it_reaches_the_threshold_and_once_a_period(
    world: World,
) -> None:
    customer, meter, _subscription = await world.subscribed()
    alert = await make_alert(world, CONSUMED, 100, meter)
    await world.use(customer, ("2026-01-10", "99.999"))
    assert await triggers(world, alert) == []
    await world.use(customer, ("2026-01-11", "0.001"))
    assert await triggers(world, alert) == [(JANUARY, 100)]
    await world.use(customer, ("2026-01-12", 500))
    assert await triggers(world, alert) == [(JANUARY, 100)]
    await world.cycle("2026-02-01")
    assert await triggers(world, alert) == [(JANUARY, 100)]
    await world.use(customer, ("2026-02-02", 70))
    await world.use(customer, ("2026-02-03", 70))
    assert await triggers(world, alert) == [(JANUARY, 100), (FEBRUARY, 140)]


async def test_one_step_triggers_all_that_it_passes_for_all_customers(world: World) -> None:
    meter = await world.meter()
    customers = [await world.customer(f"c{number}") for number in range(3)]
    alerts = {
        threshold: await make_alert(world, CONSUMED, threshold, meter) for threshold in (10, 20, 30)
    }
    for number, customer in enumerate(customers):
        await world.send(customer, ("2026-01-10", 10 * number + 5))
    await world.count()
    reached = {threshold: await triggers(world, alert) for threshold, alert in alerts.items()}
    values = {threshold: sorted(value for _, value in one) for threshold, one in reached.items()}
    assert values == {10: [15, 25], 20: [25], 30: []}
    await world.use(customers[0], ("2026-01-11", 40))
    assert [len(await triggers(world, alert)) for alert in alerts.values()] == [3, 2, 1]


async def test_an_alert_of_one_customer_watches_no_other(world: World) -> None:
    meter = await world.meter()
    one, other = await world.customer("one"), await world.customer("other")
    alert = await make_alert(world, CONSUMED, 10, meter, one)
    await world.use(other, ("2026-01-10", 50))
    assert await triggers(world, alert) == []
    await world.use(one, ("2026-01-10", 10))
    assert await triggers(world, alert, one) == await triggers(world, alert) == [(None, 10)]


async def test_an_alert_watches_its_meter_only(world: World) -> None:
    customer, meter = await world.customer(), await world.meter()
    other = await world.meter(AggregationFunction.COUNT)
    alert = await make_alert(world, CONSUMED, 10, other)
    await world.use(customer, ("2026-01-10", 50))
    assert await triggers(world, alert) == []
    assert await world.balance(customer, meter) == (50, 0)


async def test_balance_triggers_as_it_falls(world: World) -> None:
    customer, meter, _subscription = await world.subscribed(units=100)
    alert = await make_alert(world, BALANCE, 10, meter)
    overdrawn = await make_alert(world, BALANCE, -50, meter)
    await world.use(customer, ("2026-01-10", 89))
    assert await triggers(world, alert) == []
    await world.use(customer, ("2026-01-11", 1))
    assert await triggers(world, alert) == [(JANUARY, 10)]
    await world.use(customer, ("2026-01-12", 60))
    assert await triggers(world, overdrawn) == [(JANUARY, -50)]
    await world.cycle("2026-02-01")
    await world.use(customer, ("2026-02-02", 95))
    assert await triggers(world, alert) == [(JANUARY, 10), (FEBRUARY, 5)]


async def test_percent_of_credit_is_exact(world: World) -> None:
    customer, meter, _subscription = await world.subscribed(units=3)
    third = await make_alert(world, PERCENT, "33.333333", meter)
    beyond = await make_alert(world, PERCENT, "33.333334", meter)
    whole = await make_alert(world, PERCENT, 100, meter)
    await world.use(customer, ("2026-01-10", 1))
    assert await triggers(world, third) == [(JANUARY, Decimal("33.333333"))]
    assert await triggers(world, beyond) == []
    await world.use(customer, ("2026-01-10", "1.999999999999"))
    assert [len(await triggers(world, alert)) for alert in (beyond, whole)] == [1, 0]
    await world.use(customer, ("2026-01-10", "0.000000000001"))
    assert await triggers(world, whole) == [(JANUARY, 100)]


async def test_credit_by_hand_decides(world: World) -> None:
    customer, meter = await world.customer(), await world.meter()
    balance = await make_alert(world, BALANCE, 10, meter)
    percent = await make_alert(world, PERCENT, 50, meter)
    await world.use(customer, ("2026-01-10", 30))
    # Nobody has credited anything, so no balance falls, and 30 units are no share of nothing.
    assert await triggers(world, balance) == await triggers(world, percent) == []
    await world.credit(customer, meter, 90, "2026-01-11")
    assert await triggers(world, balance) == await triggers(world, percent) == []
    await world.credit(customer, meter, -50, "2026-01-12")
    assert await triggers(world, balance) == [(None, 10)]
    assert await triggers(world, percent) == [(None, 75)]
    await world.credit(customer, meter, 1_000, "2026-01-13")
    await world.credit(customer, meter, -1_000, "2026-01-14")
    assert (await triggers(world, balance), len(await triggers(world, percent))) == (
        [(None, 10)],
        1,
    )


async def test_all_credit_debited_is_a_balance_that_fell(world: World) -> None:
    customer, meter = await world.customer(), await world.meter()
    alert = await make_alert(world, BALANCE, 0, meter)
    await world.credit(customer, meter, 90, "2026-01-11")
    await world.credit(customer, meter, -90, "2026-01-12")
    assert await triggers(world, alert) == [(None, 0)]


async def test_a_renewal_that_brings_too_little_credit_triggers(world: World) -> None:
    customer, meter, _subscription = await world.subscribed()
    alert = await make_alert(world, BALANCE, 10, meter)
    await world.credit(customer, meter, 100, "2026-01-02")
    await world.use(customer, ("2026-01-10", 85))
    assert await triggers(world, alert) == []
    await world.credit(customer, meter, -10, "2026-01-11")
    await world.cycle("2026-02-01")
    # 5 units carried over.
    assert await triggers(world, alert) == [(JANUARY, 5), (FEBRUARY, 5)]


async def test_late_usage_that_takes_credit_back_triggers(world: World) -> None:
    customer, meter, _subscription = await world.subscribed(units=100, rollover=True)
    alert = await make_alert(world, BALANCE, 110, meter)
    await world.use(customer, ("2026-01-10", 40))
    first = await triggers(world, alert)
    await world.cycle("2026-02-01")
    assert await triggers(world, alert) == first == [(JANUARY, 100)]
    await world.use(customer, ("2026-01-20", 55))
    assert await triggers(world, alert) == first
    await world.cycle("2026-02-02")
    assert await triggers(world, alert) == [*first, (FEBRUARY, 105)]


async def test_a_late_event_counts_for_no_alert_of_the_present_period(world: World) -> None:
    customer, meter, _subscription = await world.subscribed()
    alert = await make_alert(world, CONSUMED, 100, meter)
    await world.use(customer, ("2026-01-10", 60))
    await world.cycle("2026-02-01")
    await world.use(customer, ("2026-01-20", 500), ("2026-02-02", 60))
    assert await triggers(world, alert) == []


async def test_a_correction_takes_nothing_back_and_triggers_nothing_twice(world: World) -> None:
    customer, meter, _subscription = await world.subscribed()
    alert = await make_alert(world, CONSUMED, 100, meter)
    await world.use(customer, ("2026-01-10", 150))
    await world.use(customer, ("2026-01-11", -100))
    await world.use(customer, ("2026-01-12", 100))
    assert await triggers(world, alert) == [(JANUARY, 150)]


async def test_periods_before_between_and_in_subscriptions_each_arm_again(world: World) -> None:
    customer, meter = await world.customer(), await world.meter()
    alert = await make_alert(world, CONSUMED, 10, meter)
    await world.use(customer, ("2025-12-10", 10))
    product = await world.product(world.per_unit(meter))
    subscription = await world.subscribe(customer, product, "2026-01-01")
    await world.use(customer, ("2026-01-10", 20))
    await world.cancel(subscription, "2026-01-20")
    await world.use(customer, ("2026-01-25", 30))
    assert await triggers(world, alert) == [
        (None, 10),
        (JANUARY, 20),
        (instant("2026-01-20"), 30),
    ]


async def test_a_subscription_that_begins_in_the_past_counts_what_it_finds(world: World) -> None:
    customer, meter = await world.customer(), await world.meter()
    alert = await make_alert(world, CONSUMED, 10, meter)
    await world.use(customer, ("2026-01-10", 10))
    product = await world.product(world.per_unit(meter))
    await world.subscribe(customer, product, "2026-01-15", "2026-01-01")
    assert await triggers(world, alert) == [(None, 10), (JANUARY, 10)]


@pytest.mark.parametrize("function", AggregationFunction)
async def test_every_aggregation_is_watched(world: World, function: AggregationFunction) -> None:
    customer, meter = await world.customer(), await world.meter(function)
    alert = await make_alert(world, CONSUMED, 3, meter)
    await world.use(customer, ("2026-01-10", 1), ("2026-01-11", 2))
    reached = {"SUM": [(None, 3)], "TIME_WEIGHTED": [(None, 24)]}
    assert await triggers(world, alert) == reached.get(function, [])
    await world.use(customer, ("2026-01-12", 30), ("2026-01-13", 31))
    if function is AggregationFunction.MINIMUM:
        assert await triggers(world, alert) == []
    else:
        assert len(await triggers(world, alert)) == 1


async def test_a_new_meter_triggers_for_the_history_that_it_counts(world: World) -> None:
    customer = await world.customer()
    await world.use(customer, ("2026-01-10", 60), ("2026-01-11", 60))
    meter = await world.meter()
    alert = await make_alert(world, CONSUMED, 100, meter)
    assert await triggers(world, alert) == []
    await catch_up(world.id, meter.id)
    assert await triggers(world, alert) == [(None, 120)]


async def test_an_archived_meter_takes_no_alert_and_decides_when_it_counts_again(
    world: World,
) -> None:
    customer, meter = await world.customer(), await world.meter()
    alert = await make_alert(world, CONSUMED, 100, meter)
    await archive_meter(world.id, meter.id, meter_in_use)
    await world.use(customer, ("2026-01-10", 150))
    with pytest.raises(RefusedError, match="archived"):
        await make_alert(world, CONSUMED, 1, meter)
    assert await triggers(world, alert) == []
    await unarchive_meter(world.id, meter.id)
    await catch_up(world.id, meter.id)
    assert await triggers(world, alert) == [(None, 150)]


async def test_repaired_usage_triggers_what_the_wrong_one_did_not(world: World) -> None:
    customer, meter = await world.customer(), await world.meter()
    await world.use(customer, ("2026-01-10", 150))
    row = await CustomerMeter.get(organization_id=world.id, meter_id=meter.id)
    await CustomerMeter.filter(id=row.id).update(consumed=Decimal(1), sum=Decimal(1))
    alert = await make_alert(world, CONSUMED, 100, meter)
    assert await triggers(world, alert) == []
    found = await recompute_customer_meter(world.id, row.id)
    assert found is not None
    assert found.drift == 149
    assert await triggers(world, alert) == [(None, 150)]


async def test_the_outbox_tells_of_each_trigger_once(world: World) -> None:
    await listen(world.id, "alert.triggered")
    customer, meter, _subscription = await world.subscribed(units=10)
    used = await make_alert(world, CONSUMED, 5, meter)
    low = await make_alert(world, BALANCE, 1, meter)
    await world.use(customer, ("2026-01-10", 5))
    await world.credit(customer, meter, -4, "2026-01-11")
    at_once = await make_alert(world, PERCENT, 50, meter)
    await world.use(customer, ("2026-01-10", 5))
    rows = await AlertTrigger.filter(organization_id=world.id).order_by("revision")
    assert [row.alert_id for row in rows] == [used.id, low.id, at_once.id]
    assert await happened(world.id) == [("alert.triggered", row.id) for row in rows]

"""Alerts of estimated amounts: a worker decides them, once a customer and period."""

import asyncio
from decimal import Decimal

import pytest

from billing.alerts import estimated
from billing.alerts.estimated import decide_estimates
from billing.invoicing.estimates import estimates, upcoming_invoices
from metering.alerts.deciding import tell
from metering.alerts.kinds import UsageAlertKind
from metering.problems import RefusedError
from models import AlertTrigger, Customer, CustomerSubscription, UsageAlert
from tests.billing.alerting import change, make_alert, triggers
from tests.billing.world import World, instant
from tests.outbox import happened, listen
from waiting.patience import Patience

JANUARY, FEBRUARY = instant("2026-01-01"), instant("2026-02-01")
AMOUNT = UsageAlertKind.ESTIMATED_AMOUNT


async def alert_at(world: World, amount: str | int, customer: Customer | None = None) -> UsageAlert:
    return await make_alert(world, AMOUNT, amount, None, customer)


async def decide() -> None:
    """What a worker does every few seconds."""
    await decide_estimates(Patience())


async def test_an_estimate_triggers_when_it_reaches_the_amount_and_once_a_period(
    world: World,
) -> None:
    customer, _meter, subscription = await world.subscribed(fixed=100, amount=2)
    alert = await alert_at(world, 150)
    await world.use(customer, ("2026-01-10", 24))
    await decide()
    assert await triggers(world, alert) == []
    await world.use(customer, ("2026-01-11", 2))
    await decide()
    assert await triggers(world, alert) == [(JANUARY, 152)]
    upcoming = await upcoming_invoices(world.id, [subscription.id])
    assert upcoming[subscription.id].total == 152
    await world.use(customer, ("2026-01-12", 500))
    await decide()
    await world.cycle("2026-02-01")
    await decide()
    assert await triggers(world, alert) == [(JANUARY, 152)]
    await world.use(customer, ("2026-02-10", 30))
    await decide()
    assert await triggers(world, alert) == [(JANUARY, 152), (FEBRUARY, 160)]


async def test_one_that_is_reached_when_it_is_made_or_changed_is_found(world: World) -> None:
    customer, _meter, _subscription = await world.subscribed()
    await world.use(customer, ("2026-01-10", 50))
    low, high = await alert_at(world, 50), await alert_at(world, 100)
    off = await alert_at(world, 50)
    await change(world, off, is_enabled=False)
    await decide()
    assert [len(await triggers(world, one)) for one in (low, high, off)] == [1, 0, 0]
    await change(world, high, threshold=Decimal(40))
    await change(world, off, is_enabled=True)
    await decide()
    assert [len(await triggers(world, one)) for one in (low, high, off)] == [1, 1, 1]


async def test_all_periods_of_one_currency_add_up(world: World) -> None:
    customer, _meter, _subscription = await world.subscribed(fixed=100)
    other = await world.product(world.fixed(70))
    alert = await alert_at(world, 170)
    await decide()
    assert await triggers(world, alert) == []
    await world.subscribe(customer, other, "2026-01-20")
    await decide()
    # The sum is that of both since the later one began.
    assert await triggers(world, alert) == [(instant("2026-01-20"), 170)]
    [row] = await AlertTrigger.filter(organization_id=world.id)
    assert row.currency == "USD"


async def test_an_alert_of_one_currency_watches_no_other(world: World) -> None:
    customer, _meter, _subscription = await world.subscribed(fixed=100)
    euros = await make_alert(world, AMOUNT, 150, None, currency="EUR")
    dollars = await make_alert(world, AMOUNT, 150, None, currency="USD")
    each = await alert_at(world, 150)
    await world.subscribe(customer, await world.product(world.fixed(60)), "2026-01-01")
    await decide()
    assert await triggers(world, euros) == []
    assert await triggers(world, dollars) == await triggers(world, each) == [(JANUARY, 160)]


async def test_only_an_amount_has_a_currency(world: World) -> None:
    with pytest.raises(RefusedError, match="is not an amount"):
        await make_alert(
            world, UsageAlertKind.CONSUMED_UNITS, 10, await world.meter(), currency="USD"
        )


async def test_an_alert_of_one_customer_watches_no_other(world: World) -> None:
    customer, meter, _subscription = await world.subscribed()
    other = await world.customer("other")
    await world.subscribe(other, await world.product(world.per_unit(meter)), "2026-01-01")
    alert = await alert_at(world, 10, other)
    await world.use(customer, ("2026-01-10", 50))
    await decide()
    assert await triggers(world, alert) == []
    await world.use(other, ("2026-01-10", 20))
    await decide()
    assert await triggers(world, alert, other) == await triggers(world, alert) == [(JANUARY, 20)]


async def test_an_ended_period_whose_invoice_waits_is_no_estimate(world: World) -> None:
    customer, _meter, _subscription = await world.subscribed()
    alert = await alert_at(world, 100)
    await world.send(customer, ("2026-01-10", 130))
    await world.received("2026-01-31T23:59:59")
    await world.cycle("2026-02-01")
    assert await world.invoices() == []
    await world.count()
    await decide()
    assert await triggers(world, alert) == []
    await world.use(customer, ("2026-02-10", 100))
    await decide()
    assert await triggers(world, alert) == [(FEBRUARY, 100)]


async def test_credit_and_ended_subscriptions_lower_the_estimate(world: World) -> None:
    customer, meter, subscription = await world.subscribed()
    alert = await alert_at(world, 100)
    await world.credit(customer, meter, 50, "2026-01-02")
    await world.use(customer, ("2026-01-10", 149))
    await decide()
    assert await triggers(world, alert) == []
    await world.cancel(subscription, "2026-01-20")
    await world.use(customer, ("2026-01-21", 500))
    await decide()
    assert await triggers(world, alert) == []


async def test_nothing_is_estimated_where_nothing_has_changed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer, _meter, _subscription = await world.subscribed()
    await alert_at(world, 10)
    await world.use(customer, ("2026-01-10", 50))
    await decide()
    await decide()

    async def chunk(undecided: estimated.Undecided, _customers: object) -> None:
        assert undecided.organization_id != world.id

    monkeypatch.setattr(estimated, "decide_chunk", chunk)
    await decide()


async def test_a_worker_that_is_killed_leaves_the_rest_to_another(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await listen(world.id, "alert.triggered")
    customer, meter, _subscription = await world.subscribed()
    customers = [customer, await world.customer("b"), await world.customer("c")]
    product = await world.product(world.per_unit(meter))
    for one in customers[1:]:
        await world.subscribe(one, product, "2026-01-01")
    alert = await alert_at(world, 10)
    for one in customers:
        await world.send(one, ("2026-01-10", 50))
    await world.count()
    monkeypatch.setattr(estimated, "CHUNK", 1)
    told = 0

    async def killed(*arguments: object) -> None:
        nonlocal told
        told += 1
        await tell(*arguments)  # type: ignore[arg-type]  # as it was called
        if told == 2:
            raise RuntimeError("killed before the commit")

    with monkeypatch.context() as patch:
        patch.setattr("billing.alerts.estimated.tell", killed)
        with pytest.RaisesGroup(RuntimeError):
            await decide()
    assert len(await triggers(world, alert)) == 1
    await asyncio.gather(*(decide() for _ in range(3)))
    assert await triggers(world, alert) == [(JANUARY, 50)] * 3
    rows = await AlertTrigger.filter(organization_id=world.id).order_by("revision")
    assert sorted(await happened(world.id)) == sorted(("alert.triggered", row.id) for row in rows)
    assert {row.customer_id for row in rows} == {one.id for one in customers}


async def test_an_alert_that_changes_while_it_is_decided_is_decided_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer, _meter, _subscription = await world.subscribed()
    alert = await alert_at(world, 100)
    await world.use(customer, ("2026-01-10", 50))
    as_before = estimated.decide_chunk

    async def changed_after(undecided: estimated.Undecided, customers: list[object]) -> None:
        await as_before(undecided, customers)  # type: ignore[arg-type]  # as it was called
        await change(world, alert, threshold=Decimal(50))

    with monkeypatch.context() as patch:
        patch.setattr(estimated, "decide_chunk", changed_after)
        await decide()
    assert await triggers(world, alert) == []
    await decide()
    assert await triggers(world, alert) == [(JANUARY, 50)]


async def test_an_estimate_of_a_period_that_ended_meanwhile_is_dropped(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer, _meter, _subscription = await world.subscribed()
    alert = await alert_at(world, 100)
    await world.use(customer, ("2026-01-10", 150))

    async def ended_after(*arguments: object, **options: object) -> object:
        found = await estimates(*arguments, **options)  # type: ignore[arg-type]  # as called
        await world.cycle("2026-02-01")
        return found

    with monkeypatch.context() as patch:
        patch.setattr("billing.alerts.estimated.estimates", ended_after)
        await decide()
    await decide()
    assert await triggers(world, alert) == []


async def test_every_change_of_a_subscription_is_noticed(world: World) -> None:
    _customer, _meter, subscription = await world.subscribed()
    before = (await CustomerSubscription.get(id=subscription.id)).revision
    assert before > 0
    await world.cycle("2026-02-01")
    assert (await CustomerSubscription.get(id=subscription.id)).revision > before


@pytest.mark.parametrize("amount", ["0", "-5", "1.5", "0.000001", str(10**16)])
async def test_amounts_are_whole_and_above_zero(world: World, amount: str) -> None:
    with pytest.raises(RefusedError):
        await alert_at(world, amount)


async def test_an_amount_has_no_meter(world: World) -> None:
    with pytest.raises(RefusedError, match="all meters together"):
        await make_alert(world, AMOUNT, 10, await world.meter())

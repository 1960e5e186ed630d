"""The demo organization is filled once, and its invoices follow from its events."""

import asyncio
from pathlib import Path

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from config import clock
from config.settings import Settings
from metergraph.commands.demo import make_history
from metergraph.demo.billing import (
    CREDITED,
    LEAVES,
    PROMOTION,
    PROMOTION_UNITS,
    TRIES,
    UPGRADES,
    VOID_REASON,
)
from metergraph.demo.customers import CUSTOMERS
from metergraph.demo.filling import fill
from metergraph.demo.organization import is_untouched
from metering.live.after_commit import performing_events
from metering.live.wakeup import open_queue
from models import (
    AlertTrigger,
    CreditGrant,
    Customer,
    CustomerMeter,
    CustomerSubscription,
    Event,
    EventVoid,
    Invoice,
    Organization,
    Product,
    UsageAlert,
)
from tests.billing.world import World
from tests.ingesting import NOON, send
from tests.metergraph.demo_invoices import (
    billed,
    check_cap_and_rollover,
    check_correction,
    check_discount,
    check_rates,
    check_states,
    check_storage,
    current,
)
from tests.metergraph.filling import counts, empty_demo

DAYS_OF_EVENTS = 91


@pytest.fixture
async def demo(fresh_database: BaseDBAsyncClient, tmp_path: Path) -> World:
    return await empty_demo(fresh_database, tmp_path)


async def test_the_history_is_made_once_and_its_invoices_follow_from_its_events(
    demo: World, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    other = await Organization.create(slug="real", name="Real")
    await send(other.id, {"externalCustomerId": "acme", "timestamp": NOON})
    await send(demo.id, {"externalCustomerId": "acme", "externalId": "own", "timestamp": NOON})
    await Customer.filter(organization_id=demo.id).update(name="My own name")

    await make_history(settings)
    said = capsys.readouterr().err
    made = await counts(demo)
    assert said.startswith("Filled the demo organization with 90 days in ")
    assert f"  {made['customer']:,} customers, {made['event']:,} events,\n" in said
    assert f"  2 products, {made['customer_subscription']} subscriptions, " in said
    assert f"{made['invoice']} invoices.\n" in said
    await make_history(settings)
    assert "already has a product" in capsys.readouterr().err
    assert await counts(demo) == made

    assert made["customer"] == len(CUSTOMERS)
    assert (await Customer.get(organization_id=demo.id, external_id="acme")).name == "My own name"
    customers = await Customer.filter(organization_id=demo.id).order_by("id")
    assert customers[1:] == sorted(customers[1:], key=lambda customer: customer.created_at)
    umbrella = await Customer.get(organization_id=demo.id, external_id="umbrella")
    assert umbrella.email == "billing@umbrella.example"
    assert await Event.filter(organization_id=other.id).count() == 1
    assert not await Product.filter(organization_id=other.id).exists()
    assert not await Invoice.filter(organization_id=other.id).exists()
    assert (
        await demo.query("SELECT FROM event_batch WHERE $1 = organization_id AND position IS NULL")
        == []
    )

    await check_rates(demo)
    await check_discount(demo)
    await check_correction(demo)
    await check_cap_and_rollover(demo)
    await check_states(demo)
    await check_storage(demo)

    usage = await current(demo, CREDITED)
    assert usage["credited"] == 3_000_000 + PROMOTION_UNITS
    promotion = await CreditGrant.get(organization_id=demo.id, reason=PROMOTION)
    assert promotion.customer_id == umbrella.id
    assert promotion.units == PROMOTION_UNITS
    assert promotion.expires_at is not None
    assert promotion.expires_at > clock.now()
    assert promotion.priority < 50
    voids = await EventVoid.filter(organization_id=demo.id)
    assert len(voids) >= 4
    assert {void.reason for void in voids} == {VOID_REASON}
    canceled = await CustomerSubscription.filter(organization_id=demo.id, status="CANCELED")
    assert len(canceled) == 1
    leaving = await CustomerSubscription.get(organization_id=demo.id, cancel_at_period_end=True)
    assert leaving.customer_id == (await Customer.get(external_id=LEAVES)).id
    trial = await CustomerSubscription.get(organization_id=demo.id, status="TRIALING")
    assert trial.customer_id == (await Customer.get(external_id=TRIES)).id
    upgraded = await billed(demo, UPGRADES)
    [change] = [one for one in upgraded.invoices if "PRORATION" in one.kinds]
    assert [line.amount > 0 for line in change.lines if line.kind == "PRORATION"] == [False, True]


@pytest.mark.slow
async def test_an_interrupted_history_is_completed_by_two_at_once_and_without_redis(
    demo: World, settings: Settings
) -> None:
    async with performing_events(open_queue("redis://127.0.0.1:1")):
        first = asyncio.create_task(fill(settings, demo.organization))
        async with asyncio.timeout(180):
            while not await Event.exists(organization_id=demo.id):
                pass
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert not await Product.filter(organization_id=demo.id).exists()
        assert await is_untouched(demo.id)

        done = await asyncio.gather(
            fill(settings, demo.organization), fill(settings, demo.organization)
        )
    [filled] = [one for one in done if one is not None]
    made = await counts(demo)
    assert (filled.events, filled.invoices) == (made["event"], made["invoice"])
    assert made["product"] == 2
    assert made["event"] > 60_000
    [row] = await demo.query(
        "SELECT count(DISTINCT external_id) AS ids,"
        " count(DISTINCT (timestamp AT TIME ZONE 'UTC')::date) AS days"
        " FROM event WHERE organization_id = $1"
    )
    assert (row["ids"], row["days"]) == (made["event"], DAYS_OF_EVENTS)
    subscriptions = await CustomerSubscription.filter(organization_id=demo.id)
    assert len({one.customer_id for one in subscriptions}) == len(subscriptions)
    assert not await is_untouched(demo.id)


async def test_an_alert_has_triggered(settings: Settings, demo: World) -> None:
    await fill(settings, demo.organization)
    alert = await UsageAlert.get(organization_id=demo.id, kind="CONSUMED_UNITS")
    triggered = await AlertTrigger.filter(organization_id=demo.id, alert_id=alert.id)
    assert triggered
    usage = {
        row.customer_id: row.consumed
        for row in await CustomerMeter.filter(organization_id=demo.id, meter_id=alert.meter_id)
    }
    assert {row.customer_id for row in triggered} == {
        customer for customer, consumed in usage.items() if consumed >= 100_000
    }
    assert await UsageAlert.filter(organization_id=demo.id).count() == 3

"""The demo organization is filled once, and its invoices follow from its events."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from config.settings import Settings
from metergraph.commands.demo import make_history
from metergraph.demo.billing import CREDITED, LEAVES, SENDS_LATE, TRIES, UPGRADES
from metergraph.demo.customers import CUSTOMERS
from metergraph.demo.filling import fill
from metergraph.demo.organization import is_untouched
from metergraph.demo.payments import HAS_CREDIT_NOTE, PAYS_LATE, VOIDED
from metering.live.after_commit import performing_events
from metering.live.wakeup import open_queue
from models import (
    AlertTrigger,
    Customer,
    CustomerMeter,
    CustomerSubscription,
    Event,
    Invoice,
    Organization,
    Product,
    UsageAlert,
)
from tests.billing.world import BilledInvoice, World
from tests.ingesting import NOON, send
from tests.metergraph.filling import counts, empty_demo
from tests.reference.values import parse_json

DAYS_OF_EVENTS = 91


@pytest.fixture
async def demo(fresh_database: BaseDBAsyncClient, tmp_path: Path) -> World:
    return await empty_demo(fresh_database, tmp_path)


@dataclass(frozen=True)
class Billed:
    """A customer's calls of models, and its invoices, read without the meters."""

    calls: list[tuple[datetime, int]]
    invoices: list[BilledInvoice]

    def tokens(self, start: datetime, end: datetime | None = None) -> int:
        return sum(tokens for at, tokens in self.calls if at >= start and (end is None or at < end))

    def metered(self) -> Iterator[tuple[Any, int]]:
        """The invoice lines of tokens, each with the tokens of its period as they are now."""
        for invoice in self.invoices:
            for line in invoice.lines:
                if line.kind == "METERED" and "AI usage" in line.description:
                    yield line, self.tokens(line.period_start, line.period_end)


async def billed(demo: World, external_id: str) -> Billed:
    customer = await Customer.get(organization_id=demo.id, external_id=external_id)
    rows = await demo.query(
        # The test sends one without tokens.
        "SELECT timestamp, metadata FROM event"
        " WHERE organization_id = $1 AND customer_id = $2 AND name = 'ai_usage'",
        customer.id,
    )
    calls = [
        (row["timestamp"], int(parse_json(row["metadata"]).get("total_tokens", 0))) for row in rows
    ]
    invoices = [one for one in await demo.invoices() if one.invoice.customer_id == customer.id]
    return Billed(calls, invoices)


async def current(demo: World, external_id: str) -> dict[str, Any]:
    """The customer's AI usage as the API shows it, with the start of its period."""
    [row] = await demo.query(
        """
        SELECT usage.consumed, usage.credited, subscription.current_period_start AS start
        FROM customer_meter usage
        JOIN meter ON meter.id = usage.meter_id AND meter.name = 'AI usage'
        JOIN customer ON customer.id = usage.customer_id AND customer.external_id = $2
        JOIN customer_subscription subscription ON subscription.customer_id = customer.id
        WHERE usage.organization_id = $1
        """,
        external_id,
    )
    return row


def packages(tokens: int) -> int:
    """What the AI plan charges for a month."""
    return -(-max(0, tokens - 1_000_000) // 100_000) * 40


def graduated(billable: int) -> int:
    """What the Scale plan charges for tokens beyond the credit."""
    first, second = min(billable, 50_000_000), max(0, min(billable, 200_000_000) - 50_000_000)
    cents = first * Decimal("0.0003") + second * Decimal("0.00025")
    cents += max(0, billable - 200_000_000) * Decimal("0.0002")
    return min(25_000, int(cents.quantize(Decimal(1), ROUND_HALF_UP)))


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
    umbrella = await Customer.get(organization_id=demo.id, external_id="umbrella")
    assert umbrella.email == "billing@umbrella.example"
    assert await Event.filter(organization_id=other.id).count() == 1
    assert not await Product.filter(organization_id=other.id).exists()
    assert not await Invoice.filter(organization_id=other.id).exists()
    assert (
        await demo.query("SELECT FROM event_batch WHERE $1 = organization_id AND position IS NULL")
        == []
    )

    globex = await billed(demo, "globex")
    assert [invoice.kinds for invoice in globex.invoices] == [
        ["FIXED"],
        ["METERED", "FIXED"],
        ["METERED", "FIXED"],
    ]
    for line, tokens in globex.metered():
        assert (int(line.consumed), int(line.amount)) == (tokens, packages(tokens))
    *_, before, last = globex.invoices
    assert int(last.invoice.total) == 2000 + int(last.lines[0].amount)
    assert last.invoice.total > 2 * before.invoice.total
    usage = await current(demo, "globex")
    assert usage["consumed"] == globex.tokens(usage["start"]) > 0
    assert usage["credited"] == 1_000_000

    await check_correction(demo)
    await check_cap_and_rollover(demo)
    await check_states(demo)

    usage = await current(demo, CREDITED)
    assert usage["credited"] == 3_000_000
    canceled = await CustomerSubscription.filter(organization_id=demo.id, status="CANCELED")
    assert len(canceled) == 1
    leaving = await CustomerSubscription.get(organization_id=demo.id, cancel_at_period_end=True)
    assert leaving.customer_id == (await Customer.get(external_id=LEAVES)).id
    trial = await CustomerSubscription.get(organization_id=demo.id, status="TRIALING")
    assert trial.customer_id == (await Customer.get(external_id=TRIES)).id
    upgraded = await billed(demo, UPGRADES)
    [change] = [one for one in upgraded.invoices if "PRORATION" in one.kinds]
    assert [line.amount > 0 for line in change.lines if line.kind == "PRORATION"] == [False, True]


async def check_states(demo: World) -> None:
    """Most invoices are paid; a void one is billed again, and a credit note is used up."""
    states = Counter(one.invoice.status for one in await demo.invoices())
    assert states["PAID"] > states["ISSUED"] > states["VOID"] == 1
    again = await billed(demo, VOIDED)
    assert [one.invoice.status for one in again.invoices][1] == "VOID"
    assert again.invoices[2].kinds == ["METERED", "METERED", "FIXED", "FIXED"]
    credited = await billed(demo, HAS_CREDIT_NOTE)
    assert credited.invoices[2].amounts[-1] == -500
    late = await billed(demo, PAYS_LATE)
    assert "PAID" not in {one.invoice.status for one in late.invoices}
    assert all(one.invoice.due_at for one in late.invoices)


async def check_correction(demo: World) -> None:
    """The late customer's line and its correction together are what all its events cost."""
    late = await billed(demo, SENDS_LATE)
    (first, tokens), (second, later_tokens) = late.metered()
    [correction] = [
        line
        for invoice in late.invoices
        for line in invoice.lines
        if line.kind == "CORRECTION" and "AI usage" in line.description
    ]
    assert correction.amount > 0
    assert first.consumed < tokens
    assert first.consumed + correction.consumed == tokens
    assert first.amount + correction.amount == graduated(tokens - 20_000_000)
    assert second.consumed == later_tokens
    assert second.amount == graduated(later_tokens - 20_000_000)


async def check_cap_and_rollover(demo: World) -> None:
    capped = await billed(demo, "cyberdyne")
    lines = list(capped.metered())
    assert [int(line.amount) for line, _ in lines] == [
        graduated(tokens - 20_000_000) for _, tokens in lines
    ]
    assert lines[-1][0].amount == 25_000
    saving = await billed(demo, "tyrell")
    left = 0
    for line, tokens in saving.metered():
        assert (int(line.consumed), int(line.amount)) == (tokens, 0)
        left += 20_000_000 - tokens
    usage = await current(demo, "tyrell")
    assert usage["credited"] == 20_000_000 + left
    assert usage["consumed"] == saving.tokens(usage["start"])


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

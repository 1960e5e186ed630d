"""During the grace, an invoice is a draft that follows the usage; then it is issued as it is."""

import asyncio
from typing import Any

import pytest

from billing.invoicing.estimates import upcoming_invoices
from billing.periods.intervals import RecurringInterval
from metering.problems import RefusedError
from models import Invoice, SubscriptionPeriod
from tests.billing.world import World, instant
from tests.outbox import happened, listen

KINDS_AND_AMOUNTS = list[tuple[str, int]]


def said(estimate: Any) -> KINDS_AND_AMOUNTS:
    return [(line.kind, line.amount) for line in estimate.lines]


async def numbers(world: World) -> list[tuple[int, KINDS_AND_AMOUNTS]]:
    return [
        (one.invoice.sequence, [(line.kind, int(line.amount)) for line in one.lines])
        for one in await world.invoices()
    ]


async def test_a_draft_has_usage_that_arrives_during_the_grace(world: World) -> None:
    await world.grace(72)
    customer, _meter, subscription = await world.subscribed(fixed=500)
    await world.use(customer, ("2026-01-10", 3))
    await world.cycle("2026-02-01")

    [(draft, estimate)] = await world.drafts()
    assert [draft.sequence, draft.total, draft.position] == [None] * 3
    assert draft.issued_at == instant("2026-02-04")
    assert said(estimate) == [("METERED", 3), ("FIXED", 500)]
    await world.use(customer, ("2026-01-11", 4), ("2026-02-02", 100))
    [(_draft, estimate)] = await world.drafts()
    assert said(estimate) == [("METERED", 7), ("FIXED", 500)]
    # The next invoice is about the period that runs.
    upcoming = (await upcoming_invoices(world.id, [subscription.id]))[subscription.id]
    assert said(upcoming) == [("METERED", 100), ("FIXED", 500)]

    await world.cycle("2026-02-03T23:59:59")
    assert len(await numbers(world)) == 1
    await world.cycle("2026-02-04")
    assert await numbers(world) == [
        (1, [("FIXED", 500)]),
        (2, [("METERED", 7), ("FIXED", 500)]),
    ]
    issued = await Invoice.get(id=draft.id)
    assert (issued.status, issued.issued_at) == ("ISSUED", instant("2026-02-04"))
    assert await world.drafts() == []


async def test_a_draft_waits_for_events_that_were_stored_before_its_end(world: World) -> None:
    await world.grace(72)
    customer, _meter, _subscription = await world.subscribed()
    await world.cycle("2026-02-01")
    await world.send(customer, ("2026-01-11", 4))
    await world.received("2026-02-03")
    await world.cycle("2026-02-04")
    assert await numbers(world) == []
    await world.count()
    await world.cycle("2026-02-04T00:00:10")
    assert await numbers(world) == [(1, [("METERED", 4)])]


async def test_a_draft_can_be_issued_before_its_time(world: World) -> None:
    await world.grace(72)
    await listen(world.id, "invoice.drafted", "invoice.issued")
    customer, _meter, _subscription = await world.subscribed()
    await world.use(customer, ("2026-01-10", 3))
    await world.cycle("2026-02-01")
    [(draft, _estimate)] = await world.drafts()
    await world.use(customer, ("2026-01-11", 4))

    await world.finalize(draft, "2026-02-02")

    assert await numbers(world) == [(1, [("METERED", 7)])]
    assert (await Invoice.get(id=draft.id)).issued_at == instant("2026-02-02")
    with pytest.raises(RefusedError, match="already"):
        await world.finalize(draft, "2026-02-02")
    # From now on, late usage is a correction.
    await world.use(customer, ("2026-01-12", 5))
    await world.cycle("2026-03-04")
    assert await numbers(world) == [
        (1, [("METERED", 7)]),
        (2, [("METERED", 0), ("CORRECTION", 5)]),
    ]
    # The second was never a draft: the cycle came after its grace.
    assert [type_ for type_, _id in await happened(world.id)] == [
        "invoice.drafted",
        "invoice.issued",
        "invoice.issued",
    ]


async def test_a_draft_that_is_issued_while_events_wait_follows_when_they_are_counted(
    world: World,
) -> None:
    await world.grace(72)
    customer, _meter, _subscription = await world.subscribed()
    await world.cycle("2026-02-01")
    [(draft, _estimate)] = await world.drafts()
    await world.send(customer, ("2026-01-11", 4))
    await world.received("2026-02-01T12:00")
    await world.finalize(draft, "2026-02-02")
    assert await numbers(world) == []
    await world.count()
    await world.cycle("2026-02-02T00:00:10")
    assert await numbers(world) == [(1, [("METERED", 4)])]


async def test_drafts_of_short_periods_are_issued_in_their_order(world: World) -> None:
    await world.grace(72)
    customer, meter = await world.customer(), await world.meter()
    product = await world.product(
        world.fixed(10), world.per_unit(meter), interval=RecurringInterval.DAY
    )
    await world.subscribe(customer, product, "2026-01-01")
    await world.use(customer, ("2026-01-01", 1), ("2026-01-02", 2), ("2026-01-03", 3))
    await world.cycle("2026-01-04")
    assert [said(estimate) for _draft, estimate in await world.drafts()] == [
        [("METERED", units), ("FIXED", 10)] for units in (1, 2, 3)
    ]
    # A shorter grace applies to periods that end later, but they wait for the older ones.
    await world.grace(0)
    await world.cycle("2026-01-05")
    drafts = await world.drafts()
    until = [draft.issued_at.day for draft, _ in drafts]
    assert until == [6, 7, 7]
    third = drafts[1][0]
    assert [number for number, _ in await numbers(world)] == [1, 2]

    await world.finalize(third, "2026-01-05")

    assert (await numbers(world))[2:] == [
        (3, [("METERED", 2), ("FIXED", 10)]),
        (4, [("METERED", 3), ("FIXED", 10)]),
    ]
    assert (await Invoice.get(id=third.id)).sequence == 4
    await world.cycle("2026-01-07")
    assert [number for number, _ in await numbers(world)] == [1, 2, 3, 4, 5, 6, 7]
    assert await world.drafts() == []


async def test_the_first_draft_has_the_corrections(world: World) -> None:
    await world.grace(24 * 20)
    customer, meter = await world.customer(), await world.meter()
    product = await world.product(world.per_unit(meter), interval=RecurringInterval.WEEK)
    await world.subscribe(customer, product, "2026-01-01")
    await world.cycle("2026-01-08")
    [(first, _estimate)] = await world.drafts()
    await world.finalize(first, "2026-01-08")
    await world.cycle("2026-01-22")
    await world.use(customer, ("2026-01-02", 7))
    assert [said(estimate) for _draft, estimate in await world.drafts()] == [
        [("METERED", 0), ("CORRECTION", 7)],
        [("METERED", 0)],
    ]
    for draft, estimate in await world.drafts():
        await world.finalize(draft, "2026-01-23")
        assert said(estimate) == (await numbers(world))[-1][1]


async def test_a_subscription_that_ends_has_a_last_draft(world: World) -> None:
    await world.grace(48)
    customer, _meter, subscription = await world.subscribed(fixed=500)
    await world.use(customer, ("2026-01-10", 3))
    await world.cancel(subscription, "2026-01-11")
    [(draft, estimate)] = await world.drafts()
    assert (draft.issued_at, said(estimate)) == (instant("2026-01-13"), [("METERED", 3)])
    assert await upcoming_invoices(world.id, [subscription.id]) == {}
    await world.use(customer, ("2026-01-10", 1))
    await world.cycle("2026-01-13")
    assert (await numbers(world))[1] == (2, [("METERED", 4)])


async def test_a_period_with_nothing_to_bill_has_no_draft(world: World) -> None:
    await world.grace(48)
    product = await world.product(world.fixed())
    subscription = await world.subscribe(await world.customer(), product, "2026-01-01")
    await world.cancel(subscription, "2026-01-11")
    assert await world.drafts() == []
    [period] = await SubscriptionPeriod.filter(organization_id=world.id)
    assert (period.invoiced_at, period.invoice_id) == (instant("2026-01-11"), None)


async def test_drafts_of_other_customers_do_not_keep_the_cycle_busy(world: World) -> None:
    await world.grace(48)
    product = await world.product(world.fixed())
    for name in ("a", "b"):
        await world.subscribe(await world.customer(name), product, "2026-01-01")
    await world.cycle("2026-02-01")
    assert (await world.cycle("2026-02-02")).organizations == set()
    assert (await world.cycle("2026-02-03")).invoiced == 2


async def test_two_who_issue_a_draft_at_once_issue_it_once(world: World) -> None:
    await world.grace(48)
    customer, _meter, _subscription = await world.subscribed()
    await world.use(customer, ("2026-01-10", 3))
    await world.cycle("2026-02-01")
    [(draft, _estimate)] = await world.drafts()
    done = await asyncio.gather(
        world.finalize(draft, "2026-02-03"),
        world.cycle("2026-02-03"),
        world.finalize(draft, "2026-02-03"),
        return_exceptions=True,
    )
    refused = [one for one in done if isinstance(one, Exception)]
    assert all(isinstance(one, RefusedError) for one in refused)
    assert refused
    assert await numbers(world) == [(1, [("METERED", 3)])]

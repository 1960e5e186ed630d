"""An invoice is paid or void; what a void one billed is billed again, or never."""

import asyncio
from typing import Any

import pytest

from billing.invoicing.estimates import upcoming_invoices
from billing.invoicing.life import void_invoice
from metering.problems import RefusedError
from models import Invoice, MeteredPeriod, Organization
from tests.billing.world import World, instant
from tests.outbox import happened, listen


async def issued(world: World) -> list[tuple[str, list[tuple[str, int]]]]:
    return [
        (one.invoice.status, [(line.kind, int(line.amount)) for line in one.lines])
        for one in await world.invoices()
    ]


async def number(world: World, sequence: int) -> Invoice:
    return await Invoice.get(organization_id=world.id, sequence=sequence)


async def test_the_next_invoice_says_again_what_a_void_one_said(world: World) -> None:
    customer, _meter, subscription = await world.subscribed(fixed=500)
    await world.use(customer, ("2026-01-10", 3))
    await world.cycle("2026-02-01")
    before = await world.invoices()

    await world.void(await number(world, 2), "2026-02-02")

    upcoming = (await upcoming_invoices(world.id, [subscription.id]))[subscription.id]
    again = [("METERED", 3), ("METERED", 0), ("FIXED", 500), ("FIXED", 500)]
    assert [(line.kind, line.amount) for line in upcoming.lines] == again
    await world.cycle("2026-03-01")
    assert await issued(world) == [
        ("ISSUED", [("FIXED", 500)]),
        ("VOID", [("METERED", 3), ("FIXED", 500)]),
        ("ISSUED", again),
    ]
    third = (await world.invoices())[2]
    assert [line.period_start for line in third.lines] == [
        instant(at) for at in ("2026-01-01", "2026-02-01", "2026-02-01", "2026-03-01")
    ]
    # The lines of the void one are as they were, and it is billed again only once.
    after = await world.invoices()
    assert [dict(line) for line in after[1].lines] == [dict(line) for line in before[1].lines]
    await world.cycle("2026-04-01")
    assert (await issued(world))[3] == ("ISSUED", [("METERED", 0), ("FIXED", 500)])


async def test_what_is_written_off_is_never_billed_again(world: World) -> None:
    customer, _meter, _subscription = await world.subscribed(fixed=500)
    await world.use(customer, ("2026-01-10", 3))
    await world.cycle("2026-02-01")
    await world.void(await number(world, 2), "2026-02-02", write_off=True)
    # Late usage is only billed as far as the void invoice did not bill it.
    await world.use(customer, ("2026-01-11", 4))
    await world.cycle("2026-03-01")
    assert (await issued(world))[2] == (
        "ISSUED",
        [("METERED", 0), ("CORRECTION", 4), ("FIXED", 500)],
    )


async def test_late_usage_of_a_void_invoice_is_billed_with_the_rest(world: World) -> None:
    customer, _meter, _subscription = await world.subscribed()
    await world.use(customer, ("2026-01-10", 3))
    await world.cycle("2026-02-01")
    await world.void(await number(world, 1), "2026-02-02")
    await world.use(customer, ("2026-01-11", 4))
    await world.cycle("2026-02-03")
    await world.cycle("2026-03-01")
    assert (await issued(world))[1] == ("ISSUED", [("METERED", 7), ("METERED", 0)])


@pytest.mark.parametrize("voided", [(1,), (2,), (1, 2), (2, 1)])
async def test_a_period_on_two_invoices_adds_up_whichever_is_void(
    world: World, voided: tuple[int, ...]
) -> None:
    customer, _meter, _subscription = await world.subscribed()
    await world.use(customer, ("2026-01-10", 3))
    await world.cycle("2026-02-01")
    await world.use(customer, ("2026-01-11", 4), ("2026-02-10", 20))
    await world.cycle("2026-03-01")
    assert (await issued(world))[1] == ("ISSUED", [("METERED", 20), ("CORRECTION", 4)])
    for sequence in voided:
        await world.void(await number(world, sequence), "2026-03-02")
    await world.cycle("2026-04-01")
    lines: list[Any] = [line for one in await world.invoices() for line in one.lines]
    void = {one.invoice.id for one in await world.invoices() if one.invoice.status == "VOID"}
    counted = [line for line in lines if line.invoice_id not in void]
    january = [line for line in counted if line.period_start == instant("2026-01-01")]
    february = [line for line in counted if line.period_start == instant("2026-02-01")]
    assert (sum(line.amount for line in january), sum(line.consumed for line in january)) == (7, 7)
    assert sum(line.amount for line in february) == 20
    assert not await MeteredPeriod.exists(organization_id=world.id, needs_correction=True)


async def test_an_ended_subscription_is_billed_again_within_a_month(world: World) -> None:
    customer, _meter, subscription = await world.subscribed(fixed=500)
    await world.use(customer, ("2026-01-10", 3))
    await world.cancel(subscription, "2026-01-20")
    for sequence in (1, 2):
        await world.void(await number(world, sequence), "2026-01-21")
    await world.cycle("2026-01-31")
    assert len(await world.invoices()) == 2
    await world.cycle("2026-02-01")
    assert (await issued(world))[2] == ("ISSUED", [("METERED", 3), ("FIXED", 500)])
    await subscription.refresh_from_db()
    assert subscription.corrections_due_at is None


async def test_numbers_have_no_gaps_whatever_becomes_of_invoices(world: World) -> None:
    await world.grace(24)
    await world.subscribed(fixed=5)
    for month in range(2, 6):
        await world.cycle(f"2026-{month:02}-02")
        await world.void(await number(world, month), f"2026-{month:02}-03", write_off=month == 4)
    assert [one.invoice.sequence for one in await world.invoices()] == [1, 2, 3, 4, 5]


async def test_states_follow_each_other_in_one_order(world: World) -> None:
    await listen(world.id, "invoice.paid", "invoice.voided")
    await world.subscribed(fixed=500)
    await world.cycle("2026-02-01")
    first, second = await number(world, 1), await number(world, 2)
    await world.pay(first, "2026-02-02")
    with pytest.raises(RefusedError, match="is paid"):
        await world.void(first, "2026-02-03")
    with pytest.raises(RefusedError, match="is paid"):
        await world.pay(first, "2026-02-03")
    await world.void(second, "2026-02-03")
    with pytest.raises(RefusedError, match="is void"):
        await world.pay(second, "2026-02-03")
    with pytest.raises(RefusedError, match="is void"):
        await world.finalize(second, "2026-02-03")
    await world.grace(24)
    await world.cycle("2026-03-01")
    [(draft, _estimate)] = await world.drafts()
    for refused in (world.pay(draft, "2026-03-01"), world.void(draft, "2026-03-01")):
        with pytest.raises(RefusedError, match="still a draft"):
            await refused
    assert await happened(world.id) == [("invoice.paid", first.id), ("invoice.voided", second.id)]
    await first.refresh_from_db()
    assert (first.status, first.paid_at) == ("PAID", instant("2026-02-02"))


async def test_an_invoice_says_when_it_is_due(world: World) -> None:
    await Organization.filter(id=world.id).update(payment_term_days=30)
    customer, _meter, _subscription = await world.subscribed()
    await world.cycle("2026-02-01")
    await world.use(customer, ("2026-02-10", 3))
    await world.cycle("2026-03-01")
    due = [one.invoice.due_at for one in await world.invoices()]
    assert due == [None, instant("2026-03-31")]  # nothing is due of the first


async def test_one_of_two_voids_at_once_is_refused(world: World) -> None:
    await world.subscribed(fixed=500)
    await world.cycle("2026-02-01")
    second = await number(world, 2)
    done = await asyncio.gather(
        world.void(second, "2026-02-02"), world.void(second, "2026-02-02"), return_exceptions=True
    )
    assert {type(one) for one in done} == {type(None), RefusedError}


async def test_a_void_while_workers_correct_and_somebody_pays(world: World) -> None:
    customer, _meter, _subscription = await world.subscribed()
    await world.use(customer, ("2026-01-10", 3), ("2026-02-10", 20))
    await world.cycle("2026-02-01")
    first = await number(world, 1)
    await world.send(customer, ("2026-01-11", 4))
    done = await asyncio.gather(
        world.cycle("2026-03-01"),
        world.void(first, "2026-02-02"),
        world.count(),
        world.pay(first, "2026-02-02"),
        world.cycle("2026-03-01"),
        return_exceptions=True,
    )
    refused = [one for one in done if isinstance(one, Exception)]
    assert [type(one) for one in refused] == [RefusedError]  # void or paid, not both
    await world.cycle("2026-04-01")
    void = {one.invoice.id for one in await world.invoices() if one.invoice.status == "VOID"}
    counted = [
        line for one in await world.invoices() for line in one.lines if one.invoice.id not in void
    ]
    assert sum(line.amount for line in counted) == 27


async def test_an_invoice_of_another_organization_cannot_be_touched(
    world: World, other_organization: Organization
) -> None:
    await world.subscribed(fixed=500)
    with pytest.raises(RefusedError, match="no invoice"):
        await void_invoice(
            other_organization.id, (await number(world, 1)).id, "mine", write_off=False
        )
    assert (await issued(world))[0][0] == "ISSUED"

"""What billing does is in the outbox: subscriptions, credit and invoices."""

import pytest

from billing.subscriptions.life import CancelWhen
from metering.problems import RefusedError
from models import CreditEntry, Invoice
from tests.billing.world import World
from tests.outbox import happened, listen


async def test_the_life_of_a_subscription(world: World) -> None:
    await listen(world.id)
    _customer, _meter, subscription = await world.subscribed(fixed=2000, units=100)
    await world.cycle("2026-02-01")
    await world.cancel(subscription, "2026-02-10", CancelWhen.PERIOD_END)
    await world.cancel(subscription, "2026-02-11", CancelWhen.PERIOD_END)
    await world.cycle("2026-03-01")

    granted = [
        ("credit.granted", entry.id)
        for entry in await CreditEntry.filter(organization_id=world.id, kind="GRANT").order_by("id")
    ]
    issued = [
        ("invoice.issued", invoice.id)
        for invoice in await Invoice.filter(organization_id=world.id).order_by("sequence")
    ]
    found = await happened(world.id)
    assert [one for one in found if one[0].startswith("subscription.")] == [
        ("subscription.created", subscription.id),
        ("subscription.renewed", subscription.id),
        ("subscription.cancel_scheduled", subscription.id),
        ("subscription.ended", subscription.id),
    ]
    assert [one for one in found if one[0].startswith("credit.")] == granted
    assert [one for one in found if one[0].startswith("invoice.")] == issued
    assert (len(granted), len(issued)) == (2, 3)


async def test_a_subscription_that_is_canceled_now_ends(world: World) -> None:
    await listen(world.id, "subscription.ended", "subscription.cancel_scheduled")
    _customer, _meter, subscription = await world.subscribed()
    await world.cancel(subscription, "2026-01-10")
    assert await happened(world.id) == [("subscription.ended", subscription.id)]


async def test_credit_notes_are_told_and_refused_ones_are_not(world: World) -> None:
    await listen(world.id, "credit_note.issued")
    await world.subscribed(fixed=2000)
    [issued] = await world.invoices()
    first = await world.note(issued.invoice, 500, "2026-01-02")
    refunded = await world.note(issued.invoice, 300, "2026-01-03", refunded=True)
    with pytest.raises(RefusedError):
        await world.note(issued.invoice, 1201, "2026-01-04")
    assert await happened(world.id) == [
        ("credit_note.issued", first.id),
        ("credit_note.issued", refunded.id),
    ]


async def test_credit_by_hand_is_granted_and_a_debit_is_not(world: World) -> None:
    await listen(world.id, "credit.granted")
    customer, meter = await world.customer(), await world.meter()
    await world.credit(customer, meter, 5, "2026-01-02")
    await world.credit(customer, meter, -2, "2026-01-03")
    given, _taken = await CreditEntry.filter(organization_id=world.id).order_by("id")
    assert await happened(world.id) == [("credit.granted", given.id)]

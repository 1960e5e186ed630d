"""What a customer is owed pays its next invoices, exactly once, whatever is voided in between."""

import asyncio

import pytest
from tortoise.exceptions import OperationalError

from billing.invoicing.estimates import upcoming_invoices
from metering.problems import RefusedError
from models import CreditNote, Customer, Invoice
from tests.billing.test_voids import issued, number
from tests.billing.world import World


async def negative(world: World) -> Customer:
    """A customer whose second invoice, of March 1, takes back 30 of the first."""
    customer, _meter, _subscription = await world.subscribed()
    await world.use(customer, ("2026-01-10", 50))
    await world.cycle("2026-02-01")
    await world.use(customer, ("2026-01-11", -30))
    await world.cycle("2026-03-01")
    assert [one[1] for one in await issued(world)] == [
        [("METERED", 50)],
        [("METERED", 0), ("CORRECTION", -30)],
    ]
    return customer


async def test_a_negative_total_is_used_up_by_the_next_invoices(world: World) -> None:
    customer = await negative(world)
    assert await world.owed(customer) == {"USD": 30}
    await world.use(customer, ("2026-03-10", 20), ("2026-04-10", 25), ("2026-05-10", 5))
    for month in (4, 5, 6):
        await world.cycle(f"2026-{month:02}-01")
    assert [one[1] for one in (await issued(world))[2:]] == [
        [("METERED", 20), ("BALANCE", -20)],
        [("METERED", 25), ("BALANCE", -10)],
        [("METERED", 5)],
    ]
    invoices = [one.invoice for one in await world.invoices()]
    assert [invoice.total for invoice in invoices] == [50, -30, 0, 15, 5]
    assert [invoice.balance_used for invoice in invoices] == [0, 0, 20, 10, 0]
    assert await world.owed(customer) == {}


async def test_estimates_and_drafts_use_the_balance_as_the_invoice_will(world: World) -> None:
    customer, _meter, subscription = await world.subscribed(fixed=100)
    await world.note(await number(world, 1), 70, "2026-01-02")
    await world.use(customer, ("2026-01-10", 20))
    upcoming = (await upcoming_invoices(world.id, [subscription.id]))[subscription.id]
    lines = [(line.kind, line.amount) for line in upcoming.lines]
    assert lines == [("METERED", 20), ("FIXED", 100), ("BALANCE", -70)]
    assert (upcoming.subtotal, upcoming.total) == (120, 50)
    await world.grace(24)
    await world.cycle("2026-02-01")
    [(draft, estimate)] = await world.drafts()
    assert [(line.kind, line.amount) for line in estimate.lines] == lines
    # A draft uses nothing yet.
    assert await world.owed(customer) == {"USD": 70}
    await world.finalize(draft, "2026-02-01")
    assert (await issued(world))[1] == ("ISSUED", lines)
    assert await world.owed(customer) == {}


async def test_a_void_invoice_gives_back_what_it_used(world: World) -> None:
    customer, _meter, _subscription = await world.subscribed(fixed=100)
    await world.note(await number(world, 1), 70, "2026-01-02")
    await world.cycle("2026-02-01")
    assert (await issued(world))[1][1] == [("METERED", 0), ("FIXED", 100), ("BALANCE", -70)]
    await world.void(await number(world, 2), "2026-02-02")
    assert await world.owed(customer) == {"USD": 70}
    await world.cycle("2026-03-01")
    # The balance is not billed again: it is used again.
    assert (await issued(world))[2][1] == [
        *(("METERED", 0), ("METERED", 0), ("FIXED", 100), ("FIXED", 100), ("BALANCE", -70))
    ]


@pytest.mark.parametrize("write_off", [True, False])
async def test_a_void_invoice_takes_back_the_balance_that_it_gave(
    world: World, write_off: bool
) -> None:
    customer = await negative(world)
    await world.void(await number(world, 2), "2026-03-02", write_off=write_off)
    assert await world.owed(customer) == {}
    await world.cycle("2026-04-01")
    again = [("METERED", 0), ("METERED", 0), ("CORRECTION", -30)]
    assert (await issued(world))[2][1] == ([("METERED", 0)] if write_off else again)
    assert await world.owed(customer) == ({} if write_off else {"USD": 30})


async def test_a_balance_that_is_used_cannot_be_taken_back(world: World) -> None:
    customer = await negative(world)
    await world.use(customer, ("2026-03-10", 20))
    await world.cycle("2026-04-01")
    with pytest.raises(RefusedError, match="have used the balance"):
        await world.void(await number(world, 2), "2026-04-02")
    # The later one gives it back.
    await world.void(await number(world, 3), "2026-04-02")
    await world.void(await number(world, 2), "2026-04-02")
    assert await world.owed(customer) == {}
    await world.cycle("2026-05-01")
    last = (await world.invoices())[-1]
    assert (sum(last.amounts), last.invoice.total) == (-10, -10)
    assert await world.owed(customer) == {"USD": 10}


async def test_credit_notes_take_at_most_the_total_off(world: World) -> None:
    customer, _meter, _subscription = await world.subscribed(fixed=100)
    first = await number(world, 1)
    note = await world.note(first, 60, "2026-01-02")
    await world.pay(first, "2026-01-02")
    with pytest.raises(RefusedError, match="At most 40 minor units"):
        await world.note(first, 41, "2026-01-03")
    other = await world.note(first, 40, "2026-01-03", refunded=True)
    assert (note.sequence, other.sequence) == (1, 2)
    assert await world.owed(customer) == {"USD": 60}
    for amount in (0, -1):
        with pytest.raises(RefusedError, match="at least 1"):
            await world.note(first, amount, "2026-01-03")


async def test_only_what_is_owed_can_be_credited(world: World) -> None:
    await world.grace(24)
    await world.subscribed(fixed=100)
    await world.cycle("2026-02-01")
    [(draft, _estimate)] = await world.drafts()
    with pytest.raises(RefusedError, match="still a draft"):
        await world.note(draft, 1, "2026-02-01")
    first = await number(world, 1)
    await world.void(first, "2026-02-01")
    with pytest.raises(RefusedError, match="is void"):
        await world.note(first, 1, "2026-02-01")


async def test_an_invoice_with_credit_notes_stays(world: World) -> None:
    await world.subscribed(fixed=100)
    first = await number(world, 1)
    await world.note(first, 1, "2026-01-02", refunded=True)
    with pytest.raises(RefusedError, match="has credit notes"):
        await world.void(first, "2026-01-03")
    assert (await issued(world))[0][0] == "ISSUED"


async def test_notes_at_once_take_no_more_than_the_total_and_no_number_twice(world: World) -> None:
    customer, _meter, _subscription = await world.subscribed(fixed=100)
    first = await number(world, 1)
    done = await asyncio.gather(
        *(world.note(first, 40, "2026-01-02") for _ in range(4)), return_exceptions=True
    )
    assert sum(isinstance(one, RefusedError) for one in done) == 2
    notes = await CreditNote.filter(organization_id=world.id).order_by("sequence")
    assert [note.sequence for note in notes] == [1, 2]
    assert await world.owed(customer) == {"USD": 80}


async def test_two_workers_use_a_balance_once(world: World) -> None:
    """Two subscriptions of one customer are invoiced at once, and a credit note comes as well."""
    customer = await world.customer()
    for name in ("first", "second"):
        meter = await world.meter(name=name)
        product = await world.product(world.fixed(100), world.per_unit(meter))
        await world.subscribe(customer, product, "2026-01-01")
    await world.note(await number(world, 1), 90, "2026-01-02")
    await asyncio.gather(
        world.cycle("2026-02-01"),
        world.cycle("2026-02-01"),
        world.note(await number(world, 2), 70, "2026-02-01"),
    )
    await world.cycle("2026-03-01")
    invoices = await Invoice.filter(organization_id=world.id)
    used = sum(int(invoice.balance_used) for invoice in invoices)
    assert (used, await world.owed(customer)) == (160, {})
    assert all(int(invoice.balance_used) <= 100 for invoice in invoices)


@pytest.mark.parametrize("table", ["invoice_line", "credit_note", "balance_entry"])
@pytest.mark.parametrize("change", ["UPDATE {} SET amount = 0", "DELETE FROM {}"])
async def test_what_is_on_an_invoice_never_changes(world: World, table: str, change: str) -> None:
    await world.subscribed(fixed=100)
    await world.note(await number(world, 1), 60, "2026-01-02")
    with pytest.raises(OperationalError, match="never changes"):
        await world.query(f"{change.format(table)} WHERE organization_id = $1")
    [row] = await world.query(f"SELECT amount FROM {table} WHERE organization_id = $1")
    assert row["amount"] > 0

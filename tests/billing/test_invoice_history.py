"""Whatever people do with invoices: together they bill what the raw events say, once."""

import secrets
from collections import Counter

import pytest
from hypothesis import example, given, note
from hypothesis import strategies as st
from tortoise.backends.base.client import BaseDBAsyncClient

from billing.catalog.prices import MeteredDraft
from billing.periods.intervals import Recurrence, RecurringInterval
from billing.rating.pricing import NOTHING_BILLED, Rating
from metering.language.aggregations import AggregationFunction
from models import CreditNote, MeteredPeriod, Organization
from tests.billing.history_products import FIXED_AMOUNTS, PRICES
from tests.billing.history_steps import Action
from tests.billing.invoice_history import (
    EVERY_STATE,
    InvoiceAction,
    InvoiceHistory,
    invoice_actions,
)
from tests.billing.reference import Reference
from tests.billing.reference_parts import Place, Plan
from tests.billing.world import World
from tests.effort import examples

FIXED_AMOUNT = FIXED_AMOUNTS[0]


@pytest.mark.parametrize("function", [AggregationFunction.SUM, AggregationFunction.MAXIMUM])
@examples(50)
@example(
    steps=EVERY_STATE, price="per unit", interval=RecurringInterval.MONTH, rolling=3, minimum=40
)
@given(
    steps=invoice_actions,
    price=st.sampled_from(sorted(PRICES.keys() - {"by model"})),
    interval=st.sampled_from([RecurringInterval.WEEK, RecurringInterval.MONTH]),
    rolling=st.integers(0, 10),
    minimum=st.none() | st.integers(0, 60),
)
async def test_invoices_that_count_bill_every_period_once(
    database: BaseDBAsyncClient,
    steps: list[Action | InvoiceAction],
    price: str,
    interval: RecurringInterval,
    function: AggregationFunction,
    rolling: int,
    minimum: int | None,
) -> None:
    organization = await Organization.create(name="Test", slug=f"test-{secrets.token_hex(8)}")
    world = World(organization, database)
    customer, meter = await world.customer(), await world.meter(function)
    draft = MeteredDraft("USD", meter.id, **PRICES[price])
    prices = (world.fixed(FIXED_AMOUNT), draft)
    product = await world.product(*prices, interval=interval, minimum=minimum)
    every = Recurrence(interval)
    plan = Plan(FIXED_AMOUNT, draft.tariff(), every, every, minimum=minimum)
    reference = Reference([plan], function, meter.aggregation_property)
    history = InvoiceHistory(world, customer, meter, (product,), reference)
    await history.give_benefits(0, rolling)

    note(str(steps))
    await history.play_all(steps)

    events = await world.events()
    expected = reference.ratings(events, history.now, await history.position())
    billed, fixed, minimums = await what_counts(history)
    off = 0
    for number in range(len(history.subscription_ids)):
        closed = reference.closed_parts(number, history.now)
        assert {place for place in billed if place[0] == number} == {span.place for span in closed}
        for span in closed:
            assert billed[span.place] == expected[span.place]
            missing, taken_off = reference.settled(span, expected[span.place].amount)
            assert minimums.get(span.place, 0) == missing
            off += taken_off
        begun = {span.place for span in reference.parts_of(number, history.now)}
        own = {place: amount for place, amount in fixed.items() if place[0] == number}
        assert own == dict.fromkeys(begun, FIXED_AMOUNT)
    assert -off == sum(
        int(line.amount)
        for one in await history.counted()
        for line in one.lines
        if line.kind == "DISCOUNT"
    )
    numbers = [one.invoice.sequence for one in await world.invoices()]
    assert numbers == list(range(1, len(numbers) + 1))
    notes = await CreditNote.filter(organization_id=world.id).order_by("sequence")
    assert [one.sequence for one in notes] == list(range(1, len(notes) + 1))
    assert not await MeteredPeriod.exists(organization_id=world.id, needs_correction=True)


async def what_counts(
    history: InvoiceHistory,
) -> tuple[dict[Place, Rating], dict[Place, int], dict[Place, int]]:
    """What invoices that count say together of each period: its usage, fixed price and minimum."""
    billed: dict[Place, Rating] = {}
    fixed: Counter[Place] = Counter()
    minimums: Counter[Place] = Counter()
    places = {
        (history.subscription_ids[number], span.during.start): span.place
        for number in range(len(history.subscription_ids))
        for span in history.reference.parts_of(number, history.now)
    }
    for one in await history.counted():
        for line in one.lines:
            if line.kind in {"BALANCE", "DISCOUNT"}:
                continue
            place = places[one.invoice.subscription_id, line.period_start]
            if line.kind == "FIXED":
                fixed[place] += int(line.amount)
                continue
            if line.consumed is None:
                minimums[place] += int(line.amount)
                continue
            before = billed.get(place, NOTHING_BILLED)
            billed[place] = Rating(
                before.consumed + line.consumed,
                before.credited + line.credited,
                before.billable + line.billable,
                before.amount + int(line.amount),
            )
    return billed, dict(fixed), minimums

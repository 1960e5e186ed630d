"""Random histories, every invoice line of them derived once more from the raw events."""

import secrets
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, note
from hypothesis import strategies as st
from tortoise.backends.base.client import BaseDBAsyncClient

from billing.catalog.prices import MeteredDraft
from billing.periods.intervals import Period, Recurrence, RecurringInterval
from billing.rating.pricing import NOTHING_BILLED, Rating
from metering.language.aggregations import AggregationFunction
from models import CustomerMeter, Organization
from tests.billing.history import FIXED_AMOUNT, INTERVALS, PRICES, Action, History, actions
from tests.billing.reference import BEFORE, NEVER, Place, Reference
from tests.billing.world import BilledInvoice, World
from tests.effort import examples


@pytest.mark.parametrize("function", AggregationFunction)
@examples(35)
@given(
    steps=actions,
    price=st.sampled_from(sorted(PRICES)),
    interval=st.sampled_from(INTERVALS),
    plain=st.integers(0, 20),
    rolling=st.integers(0, 20),
)
async def test_every_line_follows_from_the_raw_events(
    database: BaseDBAsyncClient,
    steps: list[Action],
    price: str,
    interval: RecurringInterval,
    function: AggregationFunction,
    plain: int,
    rolling: int,
) -> None:
    organization = await Organization.create(name="Test", slug=f"test-{secrets.token_hex(8)}")
    world = World(organization, database)
    customer, meter = await world.customer(), await world.meter(function)
    draft = MeteredDraft("USD", meter.id, **PRICES[price])
    product = await world.product(world.fixed(FIXED_AMOUNT), draft, interval=interval)
    reference = Reference(
        function, meter.aggregation_property, draft.tariff(), Recurrence(interval)
    )
    history = History(world, customer, meter, product, reference)
    await history.give_benefits(plain, rolling)

    note(str(steps))
    await history.play(steps)

    events, invoices = await world.events(), await world.invoices()
    numbers = [invoice.invoice.sequence for invoice in invoices]
    assert numbers == list(range(1, len(numbers) + 1))
    position = await history.position()
    expected = reference.ratings(events, history.now, position)
    billed: dict[Place, Rating] = {}
    for number, subscription_id in enumerate(history.subscription_ids):
        own = [one for one in invoices if one.invoice.subscription_id == subscription_id]
        billed |= check_invoices(history, events, own, number)
    periods = {place: rated for place, rated in expected.items() if place[1] is not None}
    assert billed.items() <= periods.items()
    # Of what is not billed, there is the open period at most.
    assert len(periods) - len(billed) == int(reference.is_live(history.now))
    if function is AggregationFunction.SUM:
        lines = [line for one in invoices for line in one.lines if line.kind != "FIXED"]
        assert sum(Fraction(line.consumed) for line in lines) == sum(
            Fraction(rated.consumed) for rated in billed.values()
        )
    await check_current(history, events, position)


def check_invoices(
    history: History, events: list[dict[str, Any]], invoices: list[BilledInvoice], number: int
) -> dict[Place, Rating]:
    """Derives every line of a subscription's invoices; gives what they say of each period."""
    periods = history.reference.closed_periods(number, history.now)
    is_live = history.reference.subscriptions[number].end is None
    billed: dict[Place, Rating] = {}
    first, *rest = invoices
    assert (first.kinds, first.amounts) == (["FIXED"], [FIXED_AMOUNT])
    for invoice in rest:
        new = len(billed) < len(periods)
        covered = periods[: len(billed) + 1] if new else periods
        # What no line speaks of has not changed since it was last counted.
        position = max(line.position for line in invoice.lines if line.position is not None)
        assert position <= invoice.invoice.position
        expected = history.reference.ratings(events, history.now, position)
        lines: list[tuple[Any, ...]] = []
        if new:
            billed[covered[-1].place] = NOTHING_BILLED
            lines.append(("METERED", covered[-1].during, expected[covered[-1].place]))
        for span in covered[:-1] if new else covered:
            if expected[span.place] != billed[span.place]:
                difference = expected[span.place].less(billed[span.place])
                lines.append(("CORRECTION", span.during, difference))
        billed = {span.place: expected[span.place] for span in covered}
        said = [
            (
                line.kind,
                Period(line.period_start, line.period_end),
                Rating(line.consumed, line.credited, line.billable, int(line.amount)),
            )
            for line in invoice.lines
            if line.kind != "FIXED"
        ]
        assert said == lines
        advance = [line for line in invoice.lines if line.kind == "FIXED"]
        goes_on = new and (is_live or len(billed) < len(periods))
        assert [int(line.amount) for line in advance] == ([FIXED_AMOUNT] if goes_on else [])
        assert invoice.invoice.total == sum(line.amount for line in invoice.lines)
    assert len(billed) == len(periods)
    return billed


async def check_current(history: History, events: list[dict[str, Any]], position: int) -> None:
    """What is shown of the customer is of the period, or of the time, that the schema says."""
    span, consumed, credited = history.reference.current(events, history.now, position)
    shown = await CustomerMeter.get(organization_id=history.world.id)
    start = None if span.place == BEFORE else span.during.start
    end = None if span.during.end == NEVER else span.during.end
    assert (shown.period_start, shown.period_end) == (start, end)
    assert (shown.consumed, shown.credited) == (consumed, credited)
    entries = await history.world.ledger(history.customer, history.meter)
    assert shown.credited == sum((units for _kind, units in entries), Decimal(0))

"""Random histories, every invoice line of them derived once more from the raw events."""

import secrets
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, note
from hypothesis import strategies as st
from tortoise.backends.base.client import BaseDBAsyncClient

from billing.catalog.prices import MeteredDraft
from billing.periods.intervals import Period, Recurrence
from billing.rating.pricing import NOTHING_BILLED, Rating
from metering.language.aggregations import AggregationFunction
from models import CustomerMeter, CustomerSubscription, Organization
from tests.billing.explaining import check_explanations
from tests.billing.history import History
from tests.billing.history_products import (
    CALENDAR,
    FIXED_AMOUNTS,
    FROM_START,
    MONTH,
    PRICES,
    SHAPES,
    YEAR,
    ZONES,
    Shape,
)
from tests.billing.history_steps import BY_MONTHS, Action, actions
from tests.billing.reference import Reference
from tests.billing.reference_parts import BEFORE, NEVER, Charge, Place, Plan
from tests.billing.world import BilledInvoice, World
from tests.effort import examples
from tests.reference.carried import CARRYING_OVER

KINDS = [(function, False) for function in AggregationFunction] + [
    (AggregationFunction(function), True) for function in CARRYING_OVER
]
# Units of each product that expire, and that roll over. The first gets others in between.
GRANTED = ((Decimal(0), Decimal(0)), (Decimal(9), Decimal("7.000000001")))


@pytest.mark.parametrize(("function", "carries_over"), KINDS)
@examples(35)
@example(
    steps=BY_MONTHS,
    prices=("capped", "per unit"),
    shapes=((YEAR, 1, FROM_START, MONTH), (YEAR, 1, FROM_START, MONTH)),
    zone=ZONES[0],
    minimums=(50, None),
    plain=3,
    rolling=4,
)
@given(
    steps=actions,
    prices=st.tuples(st.sampled_from(sorted(PRICES)), st.sampled_from(sorted(PRICES))),
    shapes=st.tuples(st.sampled_from(SHAPES), st.sampled_from(SHAPES)),
    zone=st.sampled_from(ZONES),
    minimums=st.tuples(*[st.none() | st.integers(0, 90)] * 2),
    plain=st.integers(0, 20),
    rolling=st.integers(0, 20),
)
async def test_every_line_follows_from_the_raw_events(
    database: BaseDBAsyncClient,
    steps: list[Action],
    prices: tuple[str, str],
    shapes: tuple[Shape, Shape],
    zone: str,
    *,
    minimums: tuple[int | None, int | None],
    function: AggregationFunction,
    carries_over: bool,
    plain: int,
    rolling: int,
) -> None:
    organization = await Organization.create(
        name="Test", slug=f"test-{secrets.token_hex(8)}", timezone=zone
    )
    world = World(organization, database)
    if function not in {AggregationFunction.COUNT, AggregationFunction.SUM}:
        prices = tuple("per unit" if one == "by model" else one for one in prices)  # type: ignore[assignment]  # of two
    customer = await world.customer()
    lasts = carries_over or function is AggregationFunction.TIME_WEIGHTED
    dimensions = () if lasts else ("model",)
    meter = await world.meter(function, dimensions=dimensions, carries_over=carries_over)
    products, plans = [], []
    for number, (price, shape) in enumerate(zip(prices, shapes, strict=True)):
        interval, count, billing_periods, usage_interval = shape
        draft = MeteredDraft("USD", meter.id, **PRICES[price])
        fixed, granted = FIXED_AMOUNTS[number], GRANTED[number]
        benefits = [
            await world.benefit(meter, str(units), rollover=units is granted[1])
            for units in granted
            if units
        ]
        product = await world.product(
            *(world.fixed(fixed), draft),
            benefits=benefits,
            interval=interval,
            count=count,
            billing_periods=billing_periods,
            usage_interval=usage_interval,
            minimum=minimums[number],
        )
        products.append(product)
        follows = ZoneInfo(zone) if billing_periods is CALENDAR else None
        every = usage = Recurrence(interval, count, follows)
        if usage_interval is not None:
            usage = Recurrence(usage_interval, 1, follows)
        plan = Plan(fixed, draft.tariff(), every, usage, *granted, minimum=minimums[number])
        plans.append(plan)
    reference = Reference(plans, function, meter.aggregation_property, carries_over)
    history = History(world, customer, meter, tuple(products), reference)
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
        billed |= await check_invoices(history, events, own, number)
    # Nothing says how the usage of a trial changes once the subscription has ended in it.
    tried = {
        number
        for number, one in enumerate(reference.subscriptions)
        if one.ended is not None and one.parts[-1].is_trial
    }
    billed = {place: rating for place, rating in billed.items() if place[0] not in tried}
    periods = {
        place: rated
        for place, rated in expected.items()
        if place[1] is not None and place[0] not in tried
    }
    assert billed.items() <= periods.items()
    # Of what is not billed, there is the open part at most.
    assert len(periods) - len(billed) == int(reference.is_live(history.now))
    if function is AggregationFunction.SUM:
        free = {history.subscription_ids[number] for number in tried}
        lines = [
            line
            for one in invoices
            for line in one.lines
            if line.consumed is not None and one.invoice.subscription_id not in free
        ]
        assert sum(Fraction(line.consumed) for line in lines) == sum(
            Fraction(rated.consumed) for rated in billed.values()
        )
    await check_current(history, events, position)


async def check_invoices(
    history: History, events: list[dict[str, Any]], invoices: list[BilledInvoice], number: int
) -> dict[Place, Rating]:
    """Derives every line of a subscription's invoices; gives what they say of each part.

    Their explanations lead to the same.
    """
    reference = history.reference
    one, parts = reference.subscriptions[number], reference.closed_parts(number, history.now)
    invoices = list(invoices)
    if one.first_charges:
        assert _charges(invoices.pop(0)) == one.first_charges
    billed: dict[Place, Rating] = {}
    settled: dict[Place, tuple[int, int]] = {}
    for invoice in invoices:
        new = len(billed) < len(parts)
        covered = parts[: len(billed) + 1] if new else parts
        # What no line speaks of has not changed since it was last counted.
        position = max(line.position for line in invoice.lines if line.position is not None)
        assert position <= invoice.invoice.position
        expected = reference.ratings(events, history.now, position)
        lines: list[tuple[Any, ...]] = []
        others: list[Charge] = []
        off = 0
        for span in covered:
            missing, taken_off = reference.settled(span, expected[span.place].amount)
            missing_before, off_before = settled.get(span.place, (0, 0))
            off += taken_off - off_before
            if missing != missing_before:
                kind = "CORRECTION" if span.place in settled else "MINIMUM"
                others.append((kind, missing - missing_before, span.during))
            settled[span.place] = (missing, taken_off)
        if new:
            billed[covered[-1].place] = NOTHING_BILLED
            newest = expected[covered[-1].place]
            lines += (("METERED", covered[-1].during, part) for part in parts_of(newest))
        for span in covered[:-1] if new else covered:
            if expected[span.place] != billed[span.place]:
                difference = expected[span.place].less(billed[span.place])
                lines += (("CORRECTION", span.during, part) for part in parts_of(difference))
        billed = {span.place: expected[span.place] for span in covered}
        await check_explanations(history.world, invoice, function=reference.function)
        said = [
            (
                line.kind,
                Period(line.period_start, line.period_end),
                Rating(line.consumed, line.credited, line.billable, int(line.amount)),
            )
            for line in invoice.lines
            if line.consumed is not None
        ]
        assert said == lines
        part = covered[-1].part
        others += part.charges if new and part else []
        if off:
            spans = [span for _, span, _ in lines] + [span for _, _, span in others]
            whole = Period(min(one.start for one in spans), max(one.end for one in spans))
            others.append(("DISCOUNT", -off, whole))
        assert _charges(invoice) == others
        assert invoice.invoice.total == sum(line.amount for line in invoice.lines)
    # Nothing is billed if it ends in its trial.
    unbilled = parts[len(billed) :]
    assert all(span.part and span.part.is_trial and one.ended for span in unbilled)
    assert len(unbilled) <= 1
    return billed


def parts_of(rating: Rating) -> list[Rating]:
    """What lines say of a rating: those of rates with units, or else one that says so."""
    parts = [part for part in rating.rates if part != NOTHING_BILLED]
    return parts or [replace(rating, rates=())]


def _charges(invoice: BilledInvoice) -> list[Charge]:
    return [
        (line.kind, int(line.amount), Period(line.period_start, line.period_end))
        for line in invoice.lines
        if line.consumed is None and line.kind != "BALANCE"
    ]


async def check_current(history: History, events: list[dict[str, Any]], position: int) -> None:
    """What is shown of the customer is of the period, or of the time, that the schema says."""
    span, consumed, credited = history.reference.current(events, history.now, position)
    if span.part is not None:
        row = await CustomerSubscription.get(id=history.subscription_ids[-1])
        paid = Period(row.current_period_start, row.current_period_end)
        usage = Period(row.usage_period_start, row.usage_period_end)
        assert (paid, usage) == (span.part.paid, span.during)
    shown = await CustomerMeter.get(organization_id=history.world.id)
    start = None if span.place == BEFORE else span.during.start
    end = None if span.during.end == NEVER else span.during.end
    assert (shown.period_start, shown.period_end) == (start, end)
    assert (shown.consumed, shown.credited) == (consumed, credited)
    entries = await history.world.ledger(history.customer, history.meter)
    assert shown.credited == sum((units for _kind, units in entries), Decimal(0))

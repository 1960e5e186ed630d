"""Random histories, every invoice line of them derived once more from the raw events."""

import secrets
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st
from tortoise.backends.base.client import BaseDBAsyncClient

from billing.price_checks import MeteredDraft, terms_of
from metering.aggregations import AggregationFunction
from models import Organization
from tests.billing.history import (
    FIXED_AMOUNT,
    PRICES,
    START,
    Action,
    History,
    actions,
    check_lines,
    closed_periods,
    play,
)
from tests.billing.world import World


@pytest.mark.parametrize("function", AggregationFunction)
@settings(max_examples=35)
@given(
    steps=actions,
    price=st.sampled_from(sorted(PRICES)),
    plain=st.integers(0, 20),
    rolling=st.integers(0, 20),
)
async def test_every_line_follows_from_the_raw_events(
    database: BaseDBAsyncClient,
    steps: list[Action],
    price: str,
    function: AggregationFunction,
    plain: int,
    rolling: int,
) -> None:
    organization = await Organization.create(name="Test", slug=f"test-{secrets.token_hex(8)}")
    world = World(organization, database)
    customer, meter = await world.customer(), await world.meter(function)
    draft = MeteredDraft("USD", meter.id, **PRICES[price])
    benefits = []
    if plain:
        benefits.append(await world.benefit(meter, plain))
    if rolling:
        benefits.append(await world.benefit(meter, rolling, rollover=True))
    product = await world.product(world.fixed(FIXED_AMOUNT), draft, benefits=benefits)
    await world.subscribe(customer, product, START.replace(tzinfo=None).isoformat())
    history = History(
        world, customer, meter, product, terms_of(draft), Decimal(plain), Decimal(rolling)
    )

    note(str(steps))
    now, ended_at = await play(history, steps)

    events, invoices = await history.events(), await world.invoices()
    periods = closed_periods(ended_at, now)
    numbers = [invoice.invoice.sequence for invoice in invoices]
    assert numbers == list(range(1, len(numbers) + 1))
    billed = check_lines(history, events, invoices, periods, is_live=ended_at is None)
    assert len(billed) == len(periods)
    position = await history.position()
    assert billed == history.ratings(events, periods, position)
    if function is AggregationFunction.SUM:
        once = sum(
            Fraction(event["metadata"]["tokens"])
            for event in events
            if event["metadata"]["tokens"] != "none"
            and event["position"] <= position
            and any(during.start <= event["timestamp"] < during.end for during in periods)
        )
        lines = [line for invoice in invoices for line in invoice.lines if line.kind != "FIXED"]
        assert sum(Fraction(line.consumed) for line in lines) == once
    entries = await world.ledger(customer, meter)
    _consumed, credited = await world.balance(customer, meter)
    assert credited == sum(units for _kind, units in entries)

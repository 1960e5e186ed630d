"""Explanations of invoice lines, checked without the code that makes them."""

from contextlib import nullcontext
from fractions import Fraction
from math import inf
from types import SimpleNamespace
from typing import Any

from billing.rating.lines import LineKind
from billing.rating.steps import steps_from_json
from models import EventVoid, InvoiceLine
from schema.loaders import Loaders
from schema.loaders.keyset import Bounds
from schema.loaders.lines import LineOrigin
from schema.loaders.rows import Record
from schema.types.line_explanation import ExplainedLine
from tests.billing.world import BilledInvoice, World
from tests.reference.aggregations import aggregate
from tests.reference.values import parse_json


async def check_explanations(world: World, billed: BilledInvoice, function: str) -> None:
    """The steps of each line add up to its amount, and its events to its units."""
    for line in billed.lines:
        check_steps(line)
        if line.consumed is None or function not in {"COUNT", "SUM"}:
            continue
        events = [
            {**event, "metadata": parse_json(event["metadata"])}
            for event in await events_of(world, billed.invoice, line)
        ]
        # A correction lists events that were voided since the lines before it, to take them away.
        voids = {
            void.event_id: void.position
            for void in await EventVoid.filter(organization_id=world.id)
        }
        gone = [event for event in events if voids.get(event["id"], inf) <= line.position]
        counted = [event for event in events if event not in gone]
        added, removed = (
            aggregate(function, "tokens", some).quantity or 0 for some in (counted, gone)
        )
        assert added - removed == line.consumed


def check_steps(line: InvoiceLine) -> None:
    """Each step is what its numbers say, and together they are the amount."""
    if line.kind == LineKind.BALANCE:
        assert line.steps is None
        return
    steps = steps_from_json(line.steps)
    assert sum(step.amount for step in steps) == line.amount
    for step in steps:
        if step.unit_amount is not None and step.units is not None:
            product = step.units * Fraction(step.unit_amount) + (step.flat_amount or 0)
            assert abs(product - step.amount) < Fraction(1, 10**6)
    if line.kind == LineKind.METERED:
        assert (steps[0].description, steps[0].units) == ("Usage", Fraction(line.consumed))
        covered = [step.units for step in steps if step.description == "Covered by credit"]
        assert covered == ([-Fraction(line.credited)] if line.credited else [])


async def events_of(world: World, invoice: Any, line: InvoiceLine) -> list[Record]:
    """The events that the API lists for a line of an issued invoice."""
    explained = ExplainedLine(
        kind=LineKind(line.kind),
        price_id=line.product_price_id,
        rate=line.rate,
        start=line.period_start,
        end=line.period_end,
        steps=(),
        period_id=line.metered_period_id,
        position=line.position,
        origin=LineOrigin(
            invoice.customer_id,
            invoice.subscription_id,
            invoice.sequence,
            invoice.issued_at,
            invoice.position,
        ),
    )
    loaders = Loaders(world.id, nullcontext)
    context: Any = SimpleNamespace(loaders=loaders, organization_id=world.id)
    source = await explained.events(context)
    bounds = Bounds(after=None, before=None, backward=False)
    rows: list[Record] = await loaders.pages.load((source, bounds, 10_000))
    return rows

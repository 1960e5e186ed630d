"""The lines of simulated customers as they are stored: short, because there are many."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from billing.rating.lines import Line, LineKind
from billing.rating.pricing import Rating
from billing.simulations.simulation import Simulation
from models import exact_json


def stored_lines(simulation: Simulation, lines: Iterable[Line]) -> str:
    """Returns lines as JSON text: the price and the cycle by their numbers, units as text."""
    places = {price_id: number for number, price_id in enumerate(simulation.price_ids)}
    cycles = {cycle: number for number, cycle in enumerate(simulation.cycles)}
    return exact_json.dumps(
        [
            [
                line.kind.value,
                line.description,
                places[line.price_id],
                cycles[line.period],
                line.amount,
                *_units(line),
            ]
            for line in lines
        ]
    )


def lines_of(simulation: Simulation, stored: Sequence[Sequence[Any]]) -> list[Line]:
    """Loads the lines from what `stored_lines` returned."""
    return [
        Line(
            LineKind(kind),
            description,
            simulation.price_ids[price],
            simulation.cycles[cycle],
            amount,
            *(_of_usage(amount, *units) if units else ()),
        )
        for kind, description, price, cycle, amount, *units in stored
    ]


def _units(line: Line) -> list[str | int | None]:
    if line.rating is None:
        return []
    rating = line.rating
    return [
        *(format(units, "f") for units in (rating.consumed, rating.credited, rating.billable)),
        None if line.converted is None else format(line.converted, "f"),
        line.rate,
    ]


def _of_usage(
    amount: int,
    consumed: str,
    credited: str,
    billable: str,
    converted: str | None,
    rate: int | None,
) -> tuple[Rating, None, Decimal | None, int | None]:
    """Returns the rest of a line: its rating, metered period, converted units and rate."""
    rating = Rating(Decimal(consumed), Decimal(credited), Decimal(billable), amount)
    return rating, None, None if converted is None else Decimal(converted), rate

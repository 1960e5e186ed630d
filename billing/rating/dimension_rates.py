"""Rates: unit amounts for the units of events with some values of a meter's dimensions. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from billing.numbers import unit_amount_problems
from metering.language.dimensions import MAXIMUM_DIMENSIONS
from metering.language.metadata import MAXIMUM_STRING
from metering.language.properties import property_of
from metering.problems import Problem, problem
from metering.texts import text_fault
from metering.usage.grouping import DimensionValue

MAXIMUM_RATES = 100


@dataclass(frozen=True, slots=True)
class DimensionRate:
    """The price of a unit, in minor units, of events with all of these values."""

    values: tuple[DimensionValue, ...]
    unit_amount: Decimal

    @property
    def name(self) -> str:
        """The values, for people."""
        return ", ".join(
            f"no {one.property}" if one.value is None else one.value for one in self.values
        )


def rates_problems(rates: Sequence[DimensionRate], *path: str | int) -> Iterator[Problem]:
    """Yields what is wrong with rates, apart from their meter."""
    if len(rates) > MAXIMUM_RATES:
        yield problem("LIMIT_EXCEEDED", f"There can be at most {MAXIMUM_RATES} rates.", *path)
        return
    earlier: list[set[tuple[Any, str | None]]] = []
    for index, rate in enumerate(rates):
        yield from unit_amount_problems(rate.unit_amount, *path, index, "unitAmount")
        values = (*path, index, "values")
        named = [property_of(one.property) for one in rate.values]
        if not rate.values:
            yield problem("INVALID", "A rate needs at least one value.", *values)
        elif len(named) > MAXIMUM_DIMENSIONS:
            message = f"A rate has at most {MAXIMUM_DIMENSIONS} values."
            yield problem("LIMIT_EXCEEDED", message, *values)
        elif len(set(named)) < len(named):
            yield problem("INVALID", "A rate has one value of each dimension.", *values)
        for place, one in enumerate(rate.values):
            fault = None if one.value is None else text_fault(one.value, MAXIMUM_STRING, minimum=0)
            if fault is not None:
                yield problem(fault[0], f"value {fault[1]}", *values, place, "value")
        own = {(name, one.value) for name, one in zip(named, rate.values, strict=True)}
        if any(before <= own for before in earlier):
            message = "An earlier rate matches everything that this one does."
            yield problem("INVALID", message, *values)
        earlier.append(own)


def rate_of(rates: Sequence[DimensionRate], values: Sequence[DimensionValue]) -> int:
    """Returns the number of the first rate that values match, or else the one after all."""
    given = {(property_of(one.property), one.value) for one in values}
    for number, rate in enumerate(rates):
        if {(property_of(one.property), one.value) for one in rate.values} <= given:
            return number
    return len(rates)


def meter_rates_problems(
    rates: Sequence[DimensionRate],
    dimensions: Sequence[str],
    *path: str | int,
) -> Iterator[Problem]:
    """Yields the values of rates that are of no dimension of the meter."""
    known = {property_of(name) for name in dimensions}
    for index, rate in enumerate(rates):
        for place, one in enumerate(rate.values):
            if property_of(one.property) not in known:
                message = f"The meter has no dimension {one.property[:64]!r}."
                yield problem("INVALID", message, *path, index, "values", place, "property")


def rates_to_json(rates: Sequence[DimensionRate]) -> list[dict[str, Any]]:
    """Returns rates as they are stored."""
    return [
        {
            "values": [{"property": one.property, "value": one.value} for one in rate.values],
            "unitAmount": format(rate.unit_amount, "f"),
        }
        for rate in rates
    ]


def rates_from_json(stored: Sequence[Mapping[str, Any]]) -> tuple[DimensionRate, ...]:
    """Loads rates from what `rates_to_json` returned."""
    return tuple(
        DimensionRate(
            tuple(DimensionValue(one["property"], one["value"]) for one in rate["values"]),
            Decimal(rate["unitAmount"]),
        )
        for rate in stored
    )

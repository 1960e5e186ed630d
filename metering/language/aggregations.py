"""Aggregations: what a meter makes of the events that it counts (design, section 6).

A *partial aggregate* is what is kept of some events, so that the aggregate of more of them follows
by merging: count, skipped, sum, minimum, maximum, latest_value, latest_at and latest_event_id.
UNIQUE keeps the keys of its distinct values besides, and their number as unique_count.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Any

from metering.language.parameters import Parameters
from metering.language.problems import Problem
from metering.language.properties import (
    EventField,
    json_sql,
    numeric_sql,
    property_of,
    property_problem,
)


class AggregationFunction(StrEnum):
    """What is made of the matching events."""

    COUNT = "COUNT"
    SUM = "SUM"
    AVERAGE = "AVERAGE"
    MINIMUM = "MINIMUM"
    MAXIMUM = "MAXIMUM"
    UNIQUE = "UNIQUE"
    LATEST = "LATEST"


_QUANTITY_COLUMNS = {
    AggregationFunction.COUNT: "count",
    AggregationFunction.SUM: "sum",
    AggregationFunction.MINIMUM: "minimum",
    AggregationFunction.MAXIMUM: "maximum",
    AggregationFunction.UNIQUE: "unique_count",
    AggregationFunction.LATEST: "latest_value",
}

_ZERO_OVER_NOTHING = frozenset(
    {AggregationFunction.COUNT, AggregationFunction.SUM, AggregationFunction.UNIQUE}
)

AVERAGE_DECIMALS = 12


@dataclass(frozen=True, slots=True)
class Aggregation:
    """A function and the property that it takes; COUNT takes none."""

    function: AggregationFunction
    property: str | None = None

    def value_sql(self, parameters: Parameters) -> str:
        """What one matching event `e` brings: numeric, or for UNIQUE a key (bytea).

        NULL where the event is skipped. COUNT takes 1 of every event. Never raises in SQL.
        """
        if self.function is AggregationFunction.COUNT:
            return "1::numeric"
        if self.property is None:
            raise ValueError(f"{self.function} without a property; parsing refuses it")
        property_ = property_of(self.property)
        if self.function is AggregationFunction.UNIQUE:
            return _key_sql(json_sql(property_, parameters))
        return numeric_sql(property_, parameters)


def quantity_of_nothing(function: AggregationFunction) -> Decimal | None:
    """The quantity where no event has a value."""
    return Decimal(0) if function in _ZERO_OVER_NOTHING else None


def parse_aggregation(data: Any) -> Aggregation | list[Problem]:
    """The aggregation that {"function", "property"} writes, or what is wrong with it."""
    if not isinstance(data, Mapping):
        return [Problem((), "An aggregation is an object of function and property.")]
    written = data.get("function")
    name = written.name if isinstance(written, Enum) else written
    function = AggregationFunction.__members__.get(name) if isinstance(name, str) else None
    if function is None:
        return [Problem(("function",), f"function is one of {', '.join(AggregationFunction)}.")]
    named = data.get("property")
    message = _property_message(function, named)
    return [Problem(("property",), message)] if message else Aggregation(function, named)


def _property_message(function: AggregationFunction, named: Any) -> str | None:
    if function is AggregationFunction.COUNT:
        return None if named is None else "COUNT counts events and takes no property."
    if named is None:
        return f"{function} needs a property."
    problem = property_problem(named)
    if problem:
        return f"property {problem}"
    if property_of(named) == EventField("timestamp"):
        return "timestamp is an instant, which is not aggregated."
    return None


# Of a JSON text of arrays and objects: strings whole (1), numbers up to their last digit that
# counts (2), and then the zeros that do not.
_INSIGNIFICANT_ZEROS = r'("(?:[^"\\]|\\.)*")|(-?[0-9]+(?:\.[0-9]*[1-9])?)\.?0*'


def _key_sql(json: str) -> str:
    """A key that two jsonb values share exactly when they are equal; NULL for missing ones.

    jsonb's text has its keys in one order and its numbers in one notation up to trailing zeros;
    without those it is the same for equal values only. Hashed, because btree keys must stay small.
    """
    text = (
        f"CASE jsonb_typeof({json})"
        f" WHEN 'string' THEN ({json})::text"
        f" WHEN 'boolean' THEN ({json})::text"
        f" WHEN 'number' THEN trim_scale(({json})::numeric)::text"
        f" WHEN 'null' THEN NULL"
        rf""" ELSE regexp_replace(({json})::text, '{_INSIGNIFICANT_ZEROS}', '\1\2', 'g') END"""
    )
    return f"sha256(convert_to({text}, 'UTF8'))"


def quantity_sql(function: AggregationFunction, row: str) -> str:
    """The quantity of a partial aggregate: numeric without trailing zeros, or NULL.

    `row` is the alias of a row with the columns that the function needs.
    """
    if function is AggregationFunction.AVERAGE:
        return _average_sql(f"{row}.sum", f"{row}.count")
    return f"trim_scale({row}.{_QUANTITY_COLUMNS[function]}::numeric)"


def consumed_sql(function: str, row: str) -> str:
    """The units that are billed for a partial aggregate: its quantity, 0 where that is null.

    `function` is a column with the aggregation's name, so that rows of several meters can be
    treated at once.
    """
    cases = " ".join(
        f"WHEN '{name}' THEN {quantity_sql(member, row)}"
        for name, member in AggregationFunction.__members__.items()
    )
    return f"COALESCE(CASE {function} {cases} END, 0)"


def _average_sql(total: str, count: str) -> str:
    """The total by the count, rounded half away from zero to 12 decimals more than the total has.

    Through `div`, which is exact: numeric's own `/` keeps 16 digits, whatever the magnitude, and
    rounding its result again could round twice.
    """
    decimals = f"(min_scale({total}) + {AVERAGE_DECIMALS})"
    return (
        f"CASE WHEN {count} > 0 THEN trim_scale(sign({total})"
        f" * div(2 * abs({total}) * ('1e' || {decimals})::numeric + {count}, 2 * {count})"
        f" * ('1e-' || {decimals})::numeric) END"
    )

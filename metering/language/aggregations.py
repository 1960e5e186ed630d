"""Aggregations: what a meter computes from the events that it counts.

Each function is a class. It names the columns of `usage_bucket` and `customer_meter` that hold its
state, with the SQL that computes and merges them, and reads the quantity from them. The lists of
columns elsewhere are made from these.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import assert_never

from metering.language.calculation import COUNTS, Calculation, StateColumn, total
from metering.language.parameters import Parameters
from metering.language.properties import Property, json_sql, key_sql, property_of


class Count(Calculation):
    """How many events match."""

    quantity = "trim_scale({row}.count::numeric)"
    of_nothing = Decimal(0)
    takes_property = False


class Sum(Calculation):
    """The sum of the values."""

    quantity = "trim_scale({row}.sum)"
    columns = (total("sum", "numeric", "COALESCE(sum({value}), 0)"),)
    of_nothing = Decimal(0)


class Average(Calculation):
    """The sum divided by the count, rounded half away from zero to 12 more decimals than the sum.

    `div` is exact. numeric's own `/` keeps 16 digits, whatever the magnitude, and rounding its
    result again could round twice.
    """

    quantity = """
        CASE WHEN {row}.count > 0 THEN trim_scale(
            sign({row}.sum)
            * div(
                2 * abs({row}.sum) * ('1e' || (min_scale({row}.sum) + 12))::numeric + {row}.count,
                2 * {row}.count
            )
            * ('1e-' || (min_scale({row}.sum) + 12))::numeric
        ) END
    """
    columns = Sum.columns


def _extreme(name: str, of_many: str, of_two: str) -> StateColumn:
    return StateColumn(
        name,
        "numeric",
        of_events=f"{of_many}({{value}})",
        of_partials=f"{of_many}({{row}}.{name})",
        merged=f"{of_two}({{kept}}.{name}, {{added}}.{name})",
    )


class Minimum(Calculation):
    """The smallest value."""

    quantity = "trim_scale({row}.minimum)"
    columns = (_extreme("minimum", "min", "least"),)


class Maximum(Calculation):
    """The greatest value."""

    quantity = "trim_scale({row}.maximum)"
    columns = (_extreme("maximum", "max", "greatest"),)


class Unique(Calculation):
    """The number of distinct values. Their keys are kept in a table, their number in a row."""

    quantity = "trim_scale({row}.unique_count::numeric)"
    of_nothing = Decimal(0)
    keeps_values = True
    preview = """
        SELECT coalesce(sum(events) FILTER (WHERE value IS NOT NULL), 0)::bigint AS count,
               coalesce(sum(events) FILTER (WHERE value IS NULL), 0)::bigint AS skipped,
               count(value) AS unique_count
        FROM (SELECT value, count(*) AS events FROM {matched} GROUP BY value) AS seen
    """

    def value_sql(self, property_: Property, parameters: Parameters) -> str:
        """The key of the value, which is short whatever the value is."""
        return key_sql(property_, parameters)

    def previewed_value_sql(self, property_: Property, parameters: Parameters) -> str:
        """The value itself, because jsonb groups like its keys, which take longer to compute."""
        return f"NULLIF({json_sql(property_, parameters)}, 'null'::jsonb)"


def _latest(name: str, sql_type: str, of_event: str) -> StateColumn:
    newest = (
        "(array_agg({of} ORDER BY {timestamp} DESC, {event_id} DESC)"
        " FILTER (WHERE {value} IS NOT NULL))[1]"
    )
    of_partials = newest.format(
        of=f"{{row}}.{name}",
        value="{row}.latest_value",
        timestamp="{row}.latest_at",
        event_id="{row}.latest_event_id",
    )
    merged = (
        "CASE WHEN {kept}.latest_at IS NULL"
        " OR ({added}.latest_at, {added}.latest_event_id)"
        " > ({kept}.latest_at, {kept}.latest_event_id)"
        f" THEN {{added}}.{name} ELSE {{kept}}.{name} END"
    )
    return StateColumn(name, sql_type, newest.replace("{of}", of_event), of_partials, merged)


class Latest(Calculation):
    """The value of the latest event; of two at the same instant, the one with the greater id."""

    quantity = "trim_scale({row}.latest_value)"
    columns = (
        _latest("latest_value", "numeric", "{value}"),
        _latest("latest_at", "timestamptz", "{timestamp}"),
        _latest("latest_event_id", "uuid", "{event_id}"),
    )
    # Uses the index on the time, without sorting all matching events.
    preview = """
        SELECT count(value) AS count, count(*) - count(value) AS skipped, (
            SELECT {value} FROM event e WHERE {where} AND {value} IS NOT NULL
            ORDER BY e.timestamp DESC, e.id DESC LIMIT 1
        ) AS latest_value
        FROM {matched}
    """


class AggregationFunction(StrEnum):
    """What a meter computes from the matching events."""

    COUNT = "COUNT"
    SUM = "SUM"
    AVERAGE = "AVERAGE"
    MINIMUM = "MINIMUM"
    MAXIMUM = "MAXIMUM"
    UNIQUE = "UNIQUE"
    LATEST = "LATEST"

    @property
    def calculation(self) -> Calculation:  # noqa: PLR0911  # a function a line
        """How this function aggregates."""
        match self:
            case AggregationFunction.COUNT:
                return Count()
            case AggregationFunction.SUM:
                return Sum()
            case AggregationFunction.AVERAGE:
                return Average()
            case AggregationFunction.MINIMUM:
                return Minimum()
            case AggregationFunction.MAXIMUM:
                return Maximum()
            case AggregationFunction.UNIQUE:
                return Unique()
            case AggregationFunction.LATEST:
                return Latest()
            case _:
                assert_never(self)


STATE = tuple(
    dict.fromkeys(
        column for function in AggregationFunction for column in function.calculation.columns
    )
)
"""All columns that hold state. A row fills those of its meter's function."""

CUSTOMER_COLUMNS = {"count": "bigint", "unique_count": "bigint"} | {
    column.name: column.sql_type for column in STATE
}
"""The columns of `customer_meter` that quantities are computed from, with their types."""

_EMPTY = {column.name: f"{column.empty}::{column.sql_type}" for column in STATE}


@dataclass(frozen=True, slots=True)
class Aggregation:
    """A function and the property that it takes, if it takes one."""

    function: AggregationFunction
    property: str | None = None

    def state(self) -> tuple[str, ...]:
        """The columns from which the quantity follows, except for distinct values."""
        return ("count", *(column.name for column in self.function.calculation.columns))

    def value_sql(self, parameters: Parameters, *, is_preview: bool = False) -> str:
        """The value of one matching event `e`; NULL if the event is skipped."""
        calculation = self.function.calculation
        if not calculation.takes_property:
            return "1::numeric"
        if self.property is None:
            raise ValueError(f"{self.function} without a property; parsing refuses it")
        sql = calculation.previewed_value_sql if is_preview else calculation.value_sql
        return sql(property_of(self.property), parameters)

    def of_events(
        self, value: str = "value", timestamp: str = "timestamp", event_id: str = "id"
    ) -> dict[str, str]:
        """Aggregate expressions, by column, for the state of a group of events.

        Args:
            value: a column that holds `value_sql`.
            timestamp: a column with the events' instants.
            event_id: a column with their ids.
        """
        names = {"value": value, "timestamp": timestamp, "event_id": event_id}
        return self._with_empty(lambda column: column.of_events.format(**names))

    def of_partials(self, row: str) -> dict[str, str]:
        """Aggregate expressions, by column, that merge a group of states in rows `row`."""
        return self._with_empty(lambda column: column.of_partials.format(row=row))

    def _with_empty(self, sql: Callable[[StateColumn], str]) -> dict[str, str]:
        counts = {column.name: sql(column) for column in COUNTS}
        own = {column.name: sql(column) for column in self.function.calculation.columns}
        return counts | _EMPTY | own

    def merged(self, kept: str, added: str) -> dict[str, str]:
        """Expressions, by column, that merge the states in two rows; for this function only."""
        columns = (*COUNTS, *self.function.calculation.columns)
        return {column.name: column.merged.format(kept=kept, added=added) for column in columns}

    def quantity_sql(self, row: str) -> str:
        """The quantity of the state in a row: numeric without trailing zeros, or NULL."""
        return self.function.calculation.quantity.format(row=row)


def consumed_sql(function: str, row: str) -> str:
    """The units to bill for the state in a row: its quantity, or 0 if that is null.

    `function` is a column with the name of the function, so that one statement can treat rows of
    several meters.
    """
    cases = " ".join(
        f"WHEN '{member}' THEN {member.calculation.quantity.format(row=row)}"
        for member in AggregationFunction
    )
    return f"COALESCE(CASE {function} {cases} END, 0)"

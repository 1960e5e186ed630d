"""Aggregations: what a meter computes from the events that it counts.

Each function is a class. It names the columns of `usage_bucket` and `customer_meter` that hold its
state, with the SQL that computes and merges them, and reads the quantity from them. The lists of
columns elsewhere are made from these.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar, assert_never

from metering.language.calculation import COUNTS, Calculation, StateColumn, total
from metering.language.latest import Latest
from metering.language.parameters import Parameters
from metering.language.properties import Property, json_sql, key_sql, property_of
from metering.language.time_weighted import FIRST_AT, OVERLAPPING, VALUE_SECONDS, hours_sql


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
    columns: ClassVar[tuple[StateColumn, ...]] = (_extreme("maximum", "max", "greatest"),)


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


class TimeWeighted(Calculation):
    """The integral of the value over time, in hours, from the first event to the latest."""

    quantity = f"""
        CASE WHEN {{row}}.value_seconds <> {OVERLAPPING}
             THEN {hours_sql("{row}.value_seconds")} ELSE 0 END
    """
    columns = (*Latest.columns, FIRST_AT, VALUE_SECONDS)
    of_nothing = Decimal(0)
    is_of_each_customer = True


class CarriedMaximum(Maximum):
    """The greatest value, of a meter that carries over: it also keeps the latest value."""

    columns = (*Maximum.columns, *Latest.columns)


class AggregationFunction(StrEnum):
    """What a meter computes from the matching events."""

    COUNT = "COUNT"
    SUM = "SUM"
    AVERAGE = "AVERAGE"
    MINIMUM = "MINIMUM"
    MAXIMUM = "MAXIMUM"
    UNIQUE = "UNIQUE"
    LATEST = "LATEST"
    TIME_WEIGHTED = "TIME_WEIGHTED"

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
            case AggregationFunction.TIME_WEIGHTED:
                return TimeWeighted()
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


CARRYING_OVER = (AggregationFunction.MAXIMUM, AggregationFunction.LATEST)
"""The functions of meters that may carry over."""


@dataclass(frozen=True, slots=True)
class Aggregation:
    """A function and the property that it takes, if it takes one.

    If it `carries_over`, a value lasts until the next event: a range begins with the latest value
    from before, as if an event at its start had it. The state includes that latest value.
    """

    function: AggregationFunction
    property: str | None = None
    carries_over: bool = False

    def calculation(self) -> Calculation:
        """How this aggregates."""
        if self.carries_over and self.function is AggregationFunction.MAXIMUM:
            return CarriedMaximum()
        return self.function.calculation

    def grows(self) -> bool:
        """Whether the quantity grows with time, though no event comes."""
        return self.function is AggregationFunction.TIME_WEIGHTED

    def adds_up(self) -> bool:
        """Whether all states are sums, from which those of some events can be subtracted."""
        calculation = self.calculation()
        return not calculation.keeps_values and all(one.adds_up for one in calculation.columns)

    def lasts(self) -> bool:
        """Whether a range begins with the latest value from before it."""
        return self.carries_over or self.grows()

    def of_all_customers(self, sql: Mapping[str, str], condition: str = "true") -> dict[str, str]:
        """The same expressions, by column, for rows of all customers together.

        They have no state of their own if that of two customers cannot be merged. `condition` is
        whether a row is one of those.
        """
        if not self.calculation().is_of_each_customer:
            return dict(sql)
        return dict(sql) | {
            column.name: f"CASE WHEN NOT ({condition}) THEN {sql[column.name]} END"
            for column in self.calculation().columns
        }

    def state(self) -> tuple[str, ...]:
        """The columns from which the quantity follows, except for distinct values."""
        return ("count", *(column.name for column in self.calculation().columns))

    def value_sql(self, parameters: Parameters, *, is_preview: bool = False) -> str:
        """The value of one matching event `e`; NULL if the event is skipped."""
        calculation = self.calculation()
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

    def of_carried(self) -> dict[str, str]:
        """Aggregate expressions, by column, for the state of at most one value that lasts.

        They read a `value`, the `timestamp` from which on it lasts here, and an `id`. It is no
        event, so it is not counted.
        """
        return self.of_events() | {column.name: column.empty for column in COUNTS}

    def of_partials(self, row: str) -> dict[str, str]:
        """Aggregate expressions, by column, that merge a group of states in rows `row`."""
        return self._with_empty(lambda column: column.of_partials.format(row=row))

    def _with_empty(self, sql: Callable[[StateColumn], str]) -> dict[str, str]:
        counts = {column.name: sql(column) for column in COUNTS}
        own = {column.name: sql(column) for column in self.calculation().columns}
        return counts | _EMPTY | own

    def merged(self, kept: str, added: str) -> dict[str, str]:
        """Expressions, by column, that merge the states in two rows; for this function only."""
        columns = (*COUNTS, *self.calculation().columns)
        return {column.name: column.merged.format(kept=kept, added=added) for column in columns}

    def quantity_sql(self, row: str) -> str:
        """The quantity of the state in a row: numeric without trailing zeros, or NULL."""
        return self.calculation().quantity.format(row=row)


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

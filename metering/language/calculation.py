"""The parts of an aggregation function: columns that hold its state, and their SQL."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from metering.language.parameters import Parameters
from metering.language.properties import Property, numeric_sql


@dataclass(frozen=True, slots=True)
class StateColumn:
    """A column that holds state of an aggregation, and its SQL.

    Args:
        name: the column.
        sql_type: its type in PostgreSQL.
        of_events: aggregates a group of events by `{value}`, `{timestamp}` and `{event_id}`.
        of_partials: aggregates a group of states, each in a row `{row}`.
        merged: merges the states in the rows `{kept}` and `{added}`.
        empty: the state over no events.
        adds_up: whether states are merged by addition, so that they can be subtracted.
    """

    name: str
    sql_type: str
    of_events: str
    of_partials: str
    merged: str
    empty: str = "NULL"
    adds_up: bool = False


def total(name: str, sql_type: str, of_events: str) -> StateColumn:
    """A column whose states are merged by addition."""
    of_partials = f"COALESCE(sum({{row}}.{name}), 0)::{sql_type}"
    merged = f"{{kept}}.{name} + {{added}}.{name}"
    return StateColumn(name, sql_type, of_events, of_partials, merged, empty="0", adds_up=True)


COUNTS = (
    total("count", "bigint", "count({value})"),
    total("skipped", "bigint", "count(*) - count({value})"),
)


class Calculation:
    """One aggregation function.

    `columns` are its state, besides how many events had a value (`count`) and how many did not
    (`skipped`), which every function keeps. `quantity` computes the quantity from the state in
    `{row}`: numeric without trailing zeros, or NULL. The SQL of values never raises.
    """

    quantity: ClassVar[str]
    columns: ClassVar[tuple[StateColumn, ...]] = ()
    of_nothing: ClassVar[Decimal | None] = None
    takes_property: ClassVar[bool] = True
    # Whether the values themselves are kept, in `usage_value` and `customer_meter_value`.
    keeps_values: ClassVar[bool] = False
    # Whether all customers together have no state, because those of two cannot be merged.
    is_of_each_customer: ClassVar[bool] = False
    # A SELECT of a preview's state, if one is faster than `columns`. It reads `{matched}`, with the
    # `value` of each matching event, or computes `{value}` of events `e` that meet `{where}`.
    preview: ClassVar[str | None] = None

    def value_sql(self, property_: Property, parameters: Parameters) -> str:
        """The value of one event `e`; NULL if the event is skipped."""
        return numeric_sql(property_, parameters)

    def previewed_value_sql(self, property_: Property, parameters: Parameters) -> str:
        """The value of one event `e` in a preview, which keeps no values."""
        return self.value_sql(property_, parameters)

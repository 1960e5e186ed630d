"""Parts of SQL statements: numbered parameters, and lists of columns."""

from collections.abc import Iterable, Mapping
from typing import Any


class Parameters:
    """Collects the values that a statement binds, and writes a placeholder for each.

    The initial values are $1, $2, …. `values` has them and the added ones, in order. The same
    value of the same type is added once.
    """

    def __init__(self, *values: Any) -> None:
        self.values: list[Any] = list(values)
        self._placeholders: dict[tuple[str, Any], str] = {}

    def add(self, value: Any, type_: str) -> str:
        """Adds a hashable value of a PostgreSQL type; returns its placeholder: `$3::text`."""
        key = (type_, value)
        placeholder = self._placeholders.get(key)
        if placeholder is None:
            self.values.append(value)
            placeholder = self._placeholders[key] = f"${len(self.values)}::{type_}"
        return placeholder


def select_list(expressions: Mapping[str, str]) -> str:
    """Writes expressions for a SELECT, each named after its column."""
    return ", ".join(f"{sql} AS {column}" for column, sql in expressions.items())


def arrays(sql_types: Iterable[str], first: int) -> str:
    """Writes placeholders of arrays of these types, from `$first` on, for unnest."""
    return ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(sql_types, start=first))

"""Bound parameters of a statement put together from parts, numbered as asyncpg wants them."""

from typing import Any


class Parameters:
    """Hands out `$n` for values, each with the cast that fixes its type.

    Made with the values that the statement binds anyhow, as $1, $2, …; `values` are these and
    those that were added, in order. The same value under the same type is added once.
    """

    def __init__(self, *values: Any) -> None:
        self.values: list[Any] = list(values)
        self._placeholders: dict[tuple[str, Any], str] = {}

    def add(self, value: Any, type_: str) -> str:
        """The placeholder of a hashable value of a PostgreSQL type, such as `$3::text`."""
        key = (type_, value)
        placeholder = self._placeholders.get(key)
        if placeholder is None:
            self.values.append(value)
            placeholder = self._placeholders[key] = f"${len(self.values)}::{type_}"
        return placeholder

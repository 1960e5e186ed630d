"""Bound parameters of a statement that is put together from parts, numbered as asyncpg wants them."""

from typing import Any


class Parameters:
    """Hands out `$n` for values, each with the cast that fixes its type.

    `start` is the number of parameters that the statement has before; `values` are those that
    were added here, in order. The same value under the same type is bound once.
    """

    def __init__(self, start: int = 0) -> None:
        self.values: list[Any] = []
        self._start = start
        self._placeholders: dict[tuple[str, Any], str] = {}

    def add(self, value: Any, type_: str) -> str:
        """The placeholder of a hashable value of a PostgreSQL type, such as `$3::text`."""
        key = (type_, value)
        placeholder = self._placeholders.get(key)
        if placeholder is None:
            placeholder = self._placeholders[key] = self.append(value, type_)
        return placeholder

    def append(self, value: Any, type_: str) -> str:
        """As `add`, for values that cannot be hashed, such as arrays: always a new parameter."""
        self.values.append(value)
        return f"${self._start + len(self.values)}::{type_}"

"""Rows as columns: many rows of one statement, each column an array for `unnest`."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

Row = TypeVar("Row")


def columns(rows: Iterable[Row], *values: Callable[[Row], Any]) -> list[list[Any]]:
    """One list a column; `values` read a row's column off it."""
    kept: Sequence[Row] = list(rows)
    return [[value(row) for row in kept] for value in values]

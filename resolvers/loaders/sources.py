"""The two kinds of list that can be paged: a Tortoise queryset, and rows of a SQL query."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from tortoise.expressions import Q
from tortoise.models import Model
from tortoise.queryset import QuerySet

from resolvers.loaders.keyset import Bounds, Keyset
from resolvers.loaders.rows import Record, fetch

M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class ModelSource(Generic[M]):
    """The rows of a Tortoise queryset."""

    queryset: QuerySet[M]
    keyset: Keyset

    async def read(self, bounds: Bounds, limit: int) -> Sequence[M]:
        """At most `limit` rows within the bounds, beginning at the end they are read from."""
        names = [column.name for column in self.keyset.columns]
        descending = self.keyset.descending
        queryset = self.queryset
        if bounds.after is not None:
            queryset = queryset.filter(_beyond(names, bounds.after, "lt" if descending else "gt"))
        if bounds.before is not None:
            queryset = queryset.filter(_beyond(names, bounds.before, "gt" if descending else "lt"))
        sign = "-" if descending != bounds.backward else ""
        return await queryset.order_by(*(sign + name for name in names)).limit(limit)

    async def count(self) -> int:
        """How many rows the whole list has."""
        return await self.queryset.count()


def _beyond(names: list[str], place: tuple[Any, ...], comparison: str) -> Q:
    """(a, b) > (x, y), spelled out: a > x, or a = x and b > y."""
    found = Q(**{f"{names[-1]}__{comparison}": place[-1]})
    for name, value in zip(reversed(names[:-1]), reversed(place[:-1]), strict=True):
        found = Q(**{f"{name}__{comparison}": value}) | (Q(**{name: value}) & found)
    return found


@dataclass(frozen=True)
class SQLSource:
    """The rows of `SELECT columns FROM source WHERE conditions`, with $1… bound to parameters.

    The keyset's columns are qualified by `alias`, so that one index serves conditions and order.
    """

    columns: str
    source: str
    conditions: tuple[str, ...]
    parameters: tuple[Any, ...]
    alias: str
    keyset: Keyset

    async def read(self, bounds: Bounds, limit: int) -> Sequence[Record]:
        """At most `limit` rows within the bounds, beginning at the end they are read from."""
        conditions, parameters = list(self.conditions), list(self.parameters)
        names = [f"{self.alias}.{column.name}" for column in self.keyset.columns]
        descending = self.keyset.descending
        for place, comparison in (
            (bounds.after, "<" if descending else ">"),
            (bounds.before, ">" if descending else "<"),
        ):
            if place is None:
                continue
            marks = []
            for column, value in zip(self.keyset.columns, place, strict=True):
                parameters.append(value)
                marks.append(f"${len(parameters)}::{column.sql_type}")
            conditions.append(f"({', '.join(names)}) {comparison} ({', '.join(marks)})")
        direction = "DESC" if descending != bounds.backward else "ASC"
        order = ", ".join(f"{name} {direction}" for name in names)
        return await fetch(
            f"""
            SELECT {self.columns}
              FROM {self.source}
             WHERE {" AND ".join(conditions) or "true"}
             ORDER BY {order}
             LIMIT {limit:d}
            """,
            *parameters,
        )

    async def count(self) -> int:
        """How many rows the whole list has."""
        rows = await fetch(
            f"SELECT count(*) AS count FROM {self.source} WHERE"
            f" {' AND '.join(self.conditions) or 'true'}",
            *self.parameters,
        )
        count: int = rows[0]["count"]
        return count

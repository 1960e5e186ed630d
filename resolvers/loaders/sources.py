"""Lists as SQL, in a keyset's order, and the loaders that read many of them at once.

A list inside a list (the events of each of 100 customers) would be a statement a row. Reads
that are asked for in the same moment go to PostgreSQL as one statement instead, a branch of
UNION ALL each.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from tortoise.models import Model

from metering.parameters import Parameters
from resolvers.loaders.keyset import Bounds, Keyset
from resolvers.loaders.rows import Record, fetch

Row = TypeVar("Row")
M = TypeVar("M", bound=Model)
Conditions = Callable[[Parameters], list[str]]


@dataclass(frozen=True)
class SQLSource(Generic[Row]):
    """The rows of `SELECT columns FROM source WHERE conditions`, in the keyset's order.

    `conditions` writes them with its parameters, so that they can stand in a larger statement.
    The keyset's columns are those of `alias`; `make` turns a record into a row. An `empty` list
    is known to have no rows, and costs no statement.
    """

    columns: str
    source: str
    conditions: Conditions
    alias: str
    keyset: Keyset
    make: Callable[[Record], Row]
    empty: bool = False

    def page_sql(self, bounds: Bounds, limit: int, parameters: Parameters) -> str:
        """A SELECT of at most `limit` rows within the bounds, from the end they are read from."""
        conditions = self.conditions(parameters)
        names = [f"{self.alias}.{column.name}" for column in self.keyset.columns]
        descending = self.keyset.descending
        for place, comparison in (
            (bounds.after, "<" if descending else ">"),
            (bounds.before, ">" if descending else "<"),
        ):
            if place is not None:
                columns = zip(self.keyset.columns, place, strict=True)
                marks = [parameters.add(value, column.sql_type) for column, value in columns]
                conditions.append(f"({', '.join(names)}) {comparison} ({', '.join(marks)})")
        direction = "DESC" if descending != bounds.backward else "ASC"
        return (
            f"SELECT {self.columns} FROM {self.source}"
            f" WHERE {' AND '.join(conditions) or 'true'}"
            f" ORDER BY {', '.join(f'{name} {direction}' for name in names)} LIMIT {limit:d}"
        )

    def count_sql(self, parameters: Parameters) -> str:
        """A SELECT of one number: how many rows the list has."""
        conditions = self.conditions(parameters)
        return f"SELECT count(*) FROM {self.source} WHERE {' AND '.join(conditions) or 'true'}"


def model_of(model: type[M]) -> Callable[[Record], M]:
    """Turns records with all columns of a table into instances of its model."""

    def make(record: Record) -> M:
        return model._init_from_db(**record)  # noqa: SLF001  # what Tortoise itself makes rows with

    return make


PageKey = tuple[SQLSource[Any], Bounds, int]


async def read_pages(keys: list[PageKey]) -> list[Sequence[Any]]:
    """The rows of each (source, bounds, limit), by one statement for those of the same columns."""
    found: list[Sequence[Any]] = [[] for _ in keys]
    shapes: dict[str, list[int]] = {}
    for index, (source, _, _) in enumerate(keys):
        if not source.empty:
            shapes.setdefault(source.columns, []).append(index)
    for indexes in shapes.values():
        parameters = Parameters()
        branches = []
        for index in indexes:
            source, bounds, limit = keys[index]
            page = source.page_sql(bounds, limit, parameters)
            branches.append(f"(SELECT {index:d} AS branch, page.* FROM ({page}) AS page)")
        records = await fetch(" UNION ALL ".join(branches), *parameters.values)
        for index in indexes:
            source, bounds, _ = keys[index]
            found[index] = _in_order(source, bounds, [r for r in records if r["branch"] == index])
    return found


def _in_order(source: SQLSource[Any], bounds: Bounds, records: list[Record]) -> list[Any]:
    """UNION ALL promises no order."""
    names = [column.name for column in source.keyset.columns]
    records.sort(
        key=lambda record: tuple(record[name] for name in names),
        reverse=source.keyset.descending != bounds.backward,
    )
    return [
        source.make({name: value for name, value in record.items() if name != "branch"})
        for record in records
    ]


async def count_rows(sources: list[SQLSource[Any]]) -> list[int]:
    """How many rows each list has, by one statement."""
    counted = [index for index, source in enumerate(sources) if not source.empty]
    counts = [0] * len(sources)
    if counted:
        parameters = Parameters()
        branches = ", ".join(
            f"({sources[index].count_sql(parameters)}) AS count_{index:d}" for index in counted
        )
        record = (await fetch(f"SELECT {branches}", *parameters.values))[0]
        for index in counted:
            counts[index] = record[f"count_{index}"]
    return counts

"""Lists as SQL, in a keyset's order, and the loaders that read many of them at once.

A list inside a list (the events of each of 100 customers) would need one statement per row.
Instead, reads requested at the same time go to PostgreSQL as one statement, each as a branch of
UNION ALL.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from tortoise.models import Model

from metering.language.parameters import Parameters
from schema.loaders.keyset import Bounds, Keyset
from schema.loaders.rows import Place, Record, fetch, scan

Row = TypeVar("Row")
M = TypeVar("M", bound=Model)
Conditions = Callable[[Parameters], list[str]]


@dataclass(frozen=True)
class AnyOf:
    """A condition: the value of a column is one of some texts.

    A page is made of the first rows for each text, which an index on the column and the keyset's
    columns finds fast for rare and frequent texts alike. With `= ANY` the planner must guess which
    index to walk, and a prepared statement walks the same one for all texts.
    """

    column: str
    values: frozenset[str]


@dataclass(frozen=True)
class SQLSource(Generic[Row]):
    """The rows of `SELECT columns FROM table alias WHERE conditions`, in the keyset's order.

    `conditions` writes the conditions with the parameters of a larger statement. `make` turns a
    record into a row. An `empty` list is known to have no rows and costs no statement. `joined`
    tables have one row for each row of the list. They are joined to one page only: if they were
    joined to the whole list, the planner would sort all of it instead of using an index. `any_of`
    is another condition. The first parameter of `conditions` is the organization: `columns` and
    `joined` name it as `$1`. If `searched`, reading a page is a scan; if `long`, counting is one.
    """

    columns: str
    table: str
    conditions: Conditions
    alias: str
    keyset: Keyset
    make: Callable[[Record], Row]
    joined: str = ""
    any_of: AnyOf | None = None
    empty: bool = False
    searched: bool = False
    long: bool = False

    def page_sql(self, bounds: Bounds, limit: int, parameters: Parameters) -> str:
        """A SELECT of at most `limit` rows within the bounds, from the end that they name."""
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
        order = f"ORDER BY {', '.join(f'{name} {direction}' for name in names)}"
        first = f"{order} LIMIT {limit:d}"
        if self.any_of is not None:
            conditions.append(f"{self.alias}.{self.any_of.column} = any_of.value")
        page = f"FROM {self.table} {self.alias} WHERE {' AND '.join(conditions)} {first}"
        if self.any_of is not None:
            values = parameters.add(tuple(sorted(self.any_of.values)), "text[]")
            page = (
                f"FROM unnest({values}) AS any_of (value)"
                f" CROSS JOIN LATERAL (SELECT {self.alias}.* {page}) AS {self.alias} {first}"
            )
        if not self.joined:
            return f"SELECT {self.columns} {page}"
        rows = f"(SELECT {self.alias}.* {page}) AS {self.alias}"
        return f"SELECT {self.columns} FROM {rows} {self.joined} {order}"

    def count_sql(self, parameters: Parameters) -> str:
        """A SELECT of one number: how many rows the list has."""
        conditions = self.conditions(parameters)
        if self.any_of is not None:
            values = parameters.add(tuple(sorted(self.any_of.values)), "text[]")
            conditions.append(f"{self.alias}.{self.any_of.column} = ANY({values})")
        return f"SELECT count(*) FROM {self.table} {self.alias} WHERE {' AND '.join(conditions)}"


def model_of(model: type[M]) -> Callable[[Record], M]:
    """Turns records with all columns of a table into instances of its model."""

    def make(record: Record) -> M:
        return model._init_from_db(**record)  # noqa: SLF001  # what Tortoise itself makes rows with

    return make


PageKey = tuple[SQLSource[Any], Bounds, int]


async def read_pages(place: Place, keys: list[PageKey]) -> list[Sequence[Any]]:
    """Reads the rows of each (source, bounds, limit); those with the same columns by one statement.

    Scans wait for a `place`; the other reads do not wait for them.
    """
    found: list[Sequence[Any]] = [[] for _ in keys]
    shapes: dict[tuple[bool, str], list[int]] = {}
    for index, (source, _, _) in enumerate(keys):
        if not source.empty:
            shapes.setdefault((source.searched, source.columns), []).append(index)

    async def read(searched: bool, indexes: list[int]) -> None:
        alike = await _read_alike([keys[index] for index in indexes], place if searched else None)
        for index, records in zip(indexes, alike, strict=True):
            make = keys[index][0].make
            found[index] = [make(record) for record in records]

    await asyncio.gather(*(read(searched, indexes) for (searched, _), indexes in shapes.items()))
    return found


async def _read_alike(keys: list[PageKey], place: Place | None) -> list[Sequence[Record]]:
    parameters = Parameters()
    pages = [source.page_sql(bounds, limit, parameters) for source, bounds, limit in keys]
    if len(pages) == 1:
        return [await _rows(place, pages[0], parameters)]
    branches = [
        f"(SELECT {branch:d} AS branch, page.* FROM ({page}) AS page)"
        for branch, page in enumerate(pages)
    ]
    records = await _rows(place, " UNION ALL ".join(branches), parameters)
    return [
        _in_order(source, bounds, [record for record in records if record["branch"] == branch])
        for branch, (source, bounds, _) in enumerate(keys)
    ]


async def _rows(place: Place | None, sql: str, parameters: Parameters) -> Sequence[Record]:
    if place is None:
        return await fetch(sql, *parameters.values)
    return await scan(place, sql, *parameters.values)


def _in_order(source: SQLSource[Any], bounds: Bounds, records: list[Record]) -> list[Record]:
    """Sorts the records of one branch, because UNION ALL promises no order."""
    names = [column.name for column in source.keyset.columns]
    records.sort(
        key=lambda record: tuple(record[name] for name in names),
        reverse=source.keyset.descending != bounds.backward,
    )
    return [
        {name: value for name, value in record.items() if name != "branch"} for record in records
    ]


async def count_rows(place: Place, sources: list[SQLSource[Any]]) -> list[int]:
    """Counts the rows of each list, by one statement, and another for those that need a scan."""
    counts = [0] * len(sources)

    async def count(indexes: list[int], place: Place | None) -> None:
        if indexes:
            parameters = Parameters()
            branches = ", ".join(
                f"({sources[index].count_sql(parameters)}) AS count_{index:d}" for index in indexes
            )
            record = (await _rows(place, f"SELECT {branches}", parameters))[0]
            for index in indexes:
                counts[index] = record[f"count_{index}"]

    counted = [index for index, source in enumerate(sources) if not source.empty]
    await asyncio.gather(
        count([index for index in counted if not sources[index].long], None),
        count([index for index in counted if sources[index].long], place),
    )
    return counts

"""Reads an organization's rows of a table, as lists and by id."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from uuid import UUID

from tortoise.models import Model

from metering.counting.progress import with_position
from metering.language.parameters import Parameters
from metering.texts import is_storable
from models import CustomerMeter
from schema.loaders.keyset import Keyset, uuid_key
from schema.loaders.sources import SQLSource, model_of

M = TypeVar("M", bound=Model)

OLDEST_FIRST = Keyset((uuid_key(),))


@dataclass(frozen=True)
class Where:
    """A condition in SQL, in which `{row}` stands for the row, and `{value}` for a value."""

    sql: str
    value: Any = None
    sql_type: str | None = None

    def written(self, row: str, parameters: Parameters) -> str:
        """Writes the condition on a row; its value becomes a parameter."""
        value = self.sql_type and parameters.add(self.value, self.sql_type)
        return self.sql.format(row=row, value=value)


NONE = Where("false")
"""The condition of a list that is known to be empty."""


def unarchived(include_archived: bool) -> list[Where]:
    """Rows that are not archived, or all rows."""
    return [] if include_archived else [Where("{row}.archived_at IS NULL")]


def equal(column: str, value: Any, sql_type: str = "uuid") -> Where:
    """Rows with a value in a column."""
    return Where(f"{{row}}.{column} = {{value}}", value, sql_type)


def given(*conditions: Where) -> list[Where]:
    """Returns the conditions that have a value."""
    return [condition for condition in conditions if condition.value is not None]


def has_text(columns: Sequence[str], text: str | None) -> list[Where]:
    """Rows that contain a text in one of these columns, in any case. Without a text, all rows."""
    if not text:
        return []
    if not is_storable(text):
        return [NONE]
    has_it = (
        f"strpos(lower({{row}}.{column} COLLATE any_case), lower({{value}} COLLATE any_case)) > 0"
        for column in columns
    )
    return [Where(f"({' OR '.join(has_it)})", text, "text")]


def rows_source(
    model: type[M],
    organization_id: UUID,
    *conditions: Where,
    keyset: Keyset = OLDEST_FIRST,
    newest_first: bool = False,
) -> SQLSource[M]:
    """An organization's rows of a table that meet every condition.

    Args:
        model: the table.
        organization_id: whose rows.
        conditions: which rows.
        keyset: their order, ascending.
        newest_first: whether the order is the opposite.
    """
    table = model._meta.db_table  # noqa: SLF001  # where Tortoise keeps it
    all_conditions = (equal("organization_id", organization_id), *conditions)

    def written(parameters: Parameters) -> list[str]:
        return [condition.written(table, parameters) for condition in all_conditions]

    return SQLSource(
        columns=f"{table}.*",
        table=table,
        conditions=written,
        alias=table,
        keyset=replace(keyset, descending=newest_first),
        make=model_of(model),
        empty=NONE in conditions,
    )


async def rows_by_id(model: type[M], organization_id: UUID, ids: list[UUID]) -> list[M | None]:
    """The rows with these ids, None for each that the organization does not have."""
    rows: Any = model.filter(organization_id=organization_id, id__in=set(ids))
    rows = await (with_position(rows, organization_id) if model is CustomerMeter else rows)
    found = {row.pk: row for row in rows}
    return [found.get(key) for key in ids]

"""An organization's rows of a table: lists of them, oldest first, and those with some ids."""

from typing import Any, TypeVar
from uuid import UUID

from tortoise.models import Model

from metering.language.parameters import Parameters
from schema.loaders.keyset import Keyset, uuid_key
from schema.loaders.sources import SQLSource, model_of

M = TypeVar("M", bound=Model)

OLDEST_FIRST = Keyset((uuid_key(),))


def rows_source(
    model: type[M], organization_id: UUID, conditions: str = "true", **values: Any
) -> SQLSource[M]:
    """An organization's rows of a table, oldest first.

    Args:
        model: the table.
        organization_id: whose rows.
        conditions: SQL, in which `{row}` stands for the row, and `{name}` for a value.
        values: the values, each as (value, type in PostgreSQL).
    """
    table = model._meta.db_table  # noqa: SLF001  # where Tortoise keeps it

    def written(parameters: Parameters) -> list[str]:
        marks = {name: parameters.add(*value) for name, value in values.items()}
        own = f"{table}.organization_id = {parameters.add(organization_id, 'uuid')}"
        return [own, conditions.format(row=table, **marks)]

    return SQLSource(
        columns=f"{table}.*",
        table=table,
        conditions=written,
        alias=table,
        keyset=OLDEST_FIRST,
        make=model_of(model),
    )


async def rows_by_id(model: type[M], organization_id: UUID, ids: list[UUID]) -> list[M | None]:
    """The rows with these ids, None for each that the organization does not have."""
    rows = await model.filter(organization_id=organization_id, id__in=set(ids))
    found = {row.pk: row for row in rows}
    return [found.get(key) for key in ids]

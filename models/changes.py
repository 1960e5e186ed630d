"""Changes of rows that belong to an organization."""

from typing import Any

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.models import Model


async def store_changes(row: Model, connection: BaseDBAsyncClient, *columns: str) -> None:
    """Writes these columns of a row, which is found by its organization and its id.

    `Model.save` would find it by its id alone, and write organization_id too, by which tables can
    be distributed.
    """
    values: dict[str, Any] = {column: getattr(row, column) for column in columns}
    organization_id = getattr(row, "organization_id")  # noqa: B009  # models declare it, not Model
    found = type(row).filter(organization_id=organization_id, id=row.pk)
    await found.using_db(connection).update(**values)

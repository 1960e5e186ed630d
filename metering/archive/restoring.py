"""Restores archived months, the latest first, so that stored events go on without a gap."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection

from metering.archive.archiving import Archived, Note, note_nothing
from metering.archive.errors import ArchiveError
from metering.archive.fencing import drop, fence_sql, only_one, patiently, unfence_sql
from metering.archive.files import count_of, whole_folder
from metering.archive.kept_edges import return_edges
from metering.archive.manifest import ArchivedFile, Manifest
from metering.archive.rows import EVENT_COLUMNS, file_rows
from metering.counting.log import lock_log
from metering.months import Month, lock_months
from models import ArchivedMonth, Organization

_FIRST_INSTANT = datetime(1, 1, 1, tzinfo=UTC)
_COLUMNS = ("organization_id", *EVENT_COLUMNS)


async def restore_months(
    directory: Path, name: str | None = None, note: Note = note_nothing
) -> AsyncIterator[Archived]:
    """Restores a month, or all months, from their folders; yields each when it is done.

    Raises:
        ArchiveError: a month cannot be restored. Those that were yielded are.
        ParquetMissingError: pyarrow is not installed.
    """
    async with only_one():
        rows = await _archived(name)
        for row in rows:
            if row.dropped_at is None:
                await drop(row)
            manifest = await whole_folder(directory, row.name, row.id)
            if manifest is None:
                raise ArchiveError(
                    f"There is no archive of {row.name} in {directory}. It was written to "
                    f"{row.directory}."
                )
            await _restore(row, manifest, directory / row.name, note)
            yield Archived(row.name, manifest.events, manifest.size)


async def _archived(name: str | None) -> list[ArchivedMonth]:
    """Returns the months to restore, the latest first."""
    rows = await ArchivedMonth.all().order_by("-ends_at")
    if rows and rows[0].archived_at is None:
        raise ArchiveError(
            f"{rows[0].name} was being archived when that was interrupted. Run `metergraph "
            "archive` again first."
        )
    if name is None:
        return rows
    if name not in {row.name for row in rows}:
        raise ArchiveError(f"{name} is not archived.")
    if rows[0].name != name:
        raise ArchiveError(
            f"{rows[0].name} has to be restored before {name}: stored events go on without a gap."
        )
    return rows[:1]


async def _restore(row: ArchivedMonth, manifest: Manifest, folder: Path, note: Note) -> None:
    month = Month(row.partition, row.starts_at, row.ends_at)
    organizations = {each.id: each for each in await Organization.all().order_by("id")}
    for file in manifest.files:
        if UUID(file.organization_id) not in organizations:
            raise ArchiveError(
                f"{row.name} has events of the organization {file.organization}, which is not in "
                "this database."
            )
    await _load(month, manifest, folder)
    await _attach(row, month, manifest)

    async def run(connection: BaseDBAsyncClient) -> None:
        for organization_id in organizations:
            await lock_log(connection, organization_id)
        await connection.execute_script(unfence_sql(row.partition))
        for organization_id in organizations:
            await return_edges(connection, organization_id, row.starts_at)
            await connection.execute_query(
                "DELETE FROM archived_events WHERE organization_id = $1 AND month = $2",
                [organization_id, row.name],
            )
        for file in manifest.files:
            organization_id = UUID(file.organization_id)
            await _check_count(connection, month, file, kept=False)
            await _erase_again(connection, organization_id, row.starts_at)
            await note(connection, organization_id, row.name)
        await ArchivedMonth.filter(id=row.id).using_db(connection).delete()

    await patiently(run, "The log of an organization is in use")


async def _erase_again(
    connection: BaseDBAsyncClient, organization_id: UUID, start: datetime | None
) -> None:
    """Makes workers erase the metadata of customers who were erased while it was archived."""
    await connection.execute_query(
        """
        UPDATE customer_erasure SET next_from = least(next_from, $2), finished_at = NULL
        WHERE organization_id = $1
        """,
        [organization_id, start or _FIRST_INSTANT],
    )


async def _load(month: Month, manifest: Manifest, folder: Path) -> None:
    """Copies the events, without those that were kept, to a table that nothing reads yet."""
    client: Any = get_connection("default")
    # What a run that was killed has left.
    await client.execute_script(f"DROP TABLE IF EXISTS {month.partition}")
    await client.execute_script(month.create_sql())
    for file in manifest.files:
        organization_id = UUID(file.organization_id)
        kept = await _kept(organization_id, month)
        for rows in file_rows(folder / file.file):
            records = [
                (organization_id, *(_value(row, column) for column in EVENT_COLUMNS))
                for row in rows
                if row["id"] not in kept
            ]
            async with client.acquire_connection() as connection:
                await connection.copy_records_to_table(
                    month.partition, records=records, columns=_COLUMNS
                )


def _value(row: dict[str, Any], column: str) -> Any:
    if column in {"id", "customer_id"}:
        return UUID(row[column])
    return row[column].astimezone(UTC) if column == "timestamp" else row[column]


async def _kept(organization_id: UUID, month: Month) -> set[str]:
    rows = await get_connection("default").execute_query_dict(
        """
        SELECT id FROM kept_event
        WHERE organization_id = $1 AND timestamp >= coalesce($2::timestamptz, '-infinity')
          AND timestamp < $3
        """,
        [organization_id, month.start, month.end],
    )
    return {str(row["id"]) for row in rows}


async def _attach(row: ArchivedMonth, month: Month, manifest: Manifest) -> None:
    """Makes the table a partition, which refuses events and does not count as stored yet."""

    async def run(connection: BaseDBAsyncClient) -> None:
        await lock_months(connection)
        await connection.execute_script(fence_sql(month.partition))
        await connection.execute_script(month.attach_sql())
        for file in manifest.files:
            await _check_count(connection, month, file, kept=True)
        # If this run is killed now, the next one drops the table again.
        await ArchivedMonth.filter(id=row.id).using_db(connection).update(dropped_at=None)

    await patiently(run, f"{month.name} is in use")


async def _check_count(
    connection: BaseDBAsyncClient, month: Month, file: ArchivedFile, *, kept: bool
) -> None:
    organization_id = UUID(file.organization_id)
    stored = await count_of(connection, organization_id, month)
    if kept:
        stored += len(await _kept(organization_id, month))
    if stored != file.events:
        raise ArchiveError(
            f"{month.name} is not restored: {file.organization} would have {stored:,} events "
            f"instead of {file.events:,}."
        )

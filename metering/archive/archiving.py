"""Archives months, the earliest first: audits, writes files, and drops the month's table.

`archived_month` says what is done, so that a run that was killed is continued by the next one:

1. The month is compared with the buckets.
2. Its table refuses events, and its row says that it is being archived.
3. Its folder is written, read back, and named.
4. In one transaction, what later answers need is kept, and the row says that it is archived. No
   statement that begins after that reads the month.
5. The table is detached and dropped.
"""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid4

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection

from metering.archive.auditing import drifts_of
from metering.archive.errors import ArchiveError
from metering.archive.fencing import PATIENCE_SECONDS, drop, fence, only_one, patiently, unfence
from metering.archive.files import count_of, draft_of, whole_folder, write_month
from metering.archive.kept_edges import keep_edges
from metering.archive.manifest import Manifest, read_manifest
from metering.archive.readiness import obstacles
from metering.counting.log import lock_log
from metering.export.files import locked_folder
from metering.export.formats import import_parquet
from metering.language.instants import format_instant
from metering.months import Month, stored_months
from models import ArchivedMonth, Organization

_PAUSE_SECONDS = 0.5

Note = Callable[[BaseDBAsyncClient, UUID, str], Awaitable[None]]
"""Called in the transaction that archives or restores a month, for each organization."""


async def note_nothing(_connection: BaseDBAsyncClient, _organization_id: UUID, _month: str) -> None:
    """Notes nothing."""


@dataclass(frozen=True, slots=True)
class Archived:
    """A month that was archived, or that would be: `bytes` is then the size of its table."""

    month: str
    events: int
    bytes: int


async def months_before(instant: datetime) -> list[Month]:
    """Returns the months that are stored and lie before an instant, the earliest first."""
    done = {row.partition for row in await ArchivedMonth.exclude(archived_at=None)}
    months = await stored_months(get_connection("default"))
    return [month for month in months if month.end <= instant and month.partition not in done]


async def months_to_archive(instant: datetime) -> list[Archived]:
    """Returns what `archive_months` would archive.

    Raises:
        ArchiveError: a month cannot be archived.
    """
    organizations = await Organization.all().order_by("id")
    found = []
    for month in await months_before(instant):
        await _check(month, organizations)
        connection = get_connection("default")
        counts = [await count_of(connection, each.id, month) for each in organizations]
        found.append(Archived(month.name, sum(counts), month.bytes))
    return found


async def archive_months(
    instant: datetime, directory: Path, note: Note = note_nothing
) -> AsyncIterator[Archived]:
    """Archives the months before an instant, and yields each when it is done.

    The path of the directory is absolute, because it is remembered.

    Raises:
        ArchiveError: a month cannot be archived. Those that were yielded are.
        ExportFileError: another process writes to the directory.
        ParquetMissingError: pyarrow is not installed.
    """
    import_parquet()
    async with only_one():
        with locked_folder(directory):
            async for done in _continued(note):
                yield done
            for month in await months_before(instant):
                yield await _archive(month, directory, note)


async def _continued(note: Note) -> AsyncIterator[Archived]:
    """Goes on with what an earlier run has begun, or takes it back if it has no folder yet."""
    for row in await ArchivedMonth.filter(dropped_at=None).order_by("ends_at"):
        if row.archived_at is None:
            manifest = await whole_folder(Path(row.directory), row.name, row.id)
            if manifest is None:
                await _take_back(row)
                continue
            await _conclude(row, manifest, note)
            yield Archived(row.name, manifest.events, manifest.size)
        await drop(row)


async def _archive(month: Month, directory: Path, note: Note) -> Archived:
    organizations = await Organization.all().order_by("id")
    if (directory / month.name).exists():
        raise ArchiveError(
            f"{directory / month.name} exists already. It is of a restored archive, or of another "
            "database. Choose another directory, or move it away."
        )
    await _check(month, organizations)
    await _audit(month, organizations)
    archive_id = uuid4()
    await fence(month, archive_id, directory)
    row = await ArchivedMonth.get(id=archive_id)
    try:
        await _await_counting(month, organizations)
        manifest = await write_month(directory, month, archive_id, organizations)
        await _conclude(row, manifest, note)
    except ArchiveError:
        await _take_back(row)
        raise
    await drop(row)
    return Archived(month.name, manifest.events, manifest.size)


async def _take_back(row: ArchivedMonth) -> None:
    """Accepts the month's events again; a folder without all of them must not stay."""
    directory = Path(row.directory)
    shutil.rmtree(draft_of(directory, row.name, row.id), ignore_errors=True)
    manifest = read_manifest(directory / row.name)
    if manifest is not None and manifest.archive == row.id:
        shutil.rmtree(directory / row.name)
    await unfence(row)


async def _await_counting(month: Month, organizations: Sequence[Organization]) -> None:
    """Waits until the last events of the month are counted, if a worker counts them."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            await _check(month, organizations)
        except ArchiveError:
            if time.monotonic() >= deadline:
                raise
            await asyncio.sleep(_PAUSE_SECONDS)
        else:
            return


async def _check(month: Month, organizations: Sequence[Organization]) -> None:
    for organization in organizations:
        await _check_one(get_connection("default"), month.name, month.end, organization)


async def _check_one(
    connection: BaseDBAsyncClient, month: str, end: datetime, organization: Organization
) -> None:
    if reasons := await obstacles(connection, organization.id, end):
        raise ArchiveError(
            f"{month} cannot be archived yet, because of the organization {organization.slug}: "
            f"{' '.join(reasons)}"
        )


async def _audit(month: Month, organizations: Sequence[Organization]) -> None:
    for organization in organizations:
        found = await drifts_of(organization.id, month)
        if found is not None:
            meter, drift = found
            bucket = "" if drift.bucket is None else f" at {format_instant(drift.bucket)}"
            raise ArchiveError(
                f"{month.name} is not archived: the usage of {organization.slug} on the meter "
                f"{meter.id}{bucket} is {drift.cached}, but its events say {drift.recomputed}. "
                "The nightly audit repairs and reports this; archive again after it."
            )


async def _conclude(row: ArchivedMonth, manifest: Manifest, note: Note) -> None:
    """Makes the files the only place of the month's events, for all organizations at once."""
    files = {UUID(file.organization_id): file for file in manifest.files}

    async def run(connection: BaseDBAsyncClient) -> None:
        for organization in await Organization.all().using_db(connection).order_by("id"):
            await lock_log(connection, organization.id)
            await _check_one(connection, row.name, row.ends_at, organization)
            await keep_edges(connection, organization.id, row.starts_at, row.ends_at)
            await _forget_ranges(connection, organization.id, row.ends_at)
            file = files.get(organization.id)
            if file is not None:
                await _note_events(
                    connection, row, organization.id, file.events, file.last_position
                )
                await note(connection, organization.id, row.name)
        changed = (
            await ArchivedMonth.filter(id=row.id, archived_at=None)
            .using_db(connection)
            .update(archived_at=await _now(connection), events=manifest.events, bytes=manifest.size)
        )
        if changed != 1:
            raise ArchiveError(f"Another process is archiving {row.name}.")

    await patiently(run, "The log of an organization is in use")


async def _forget_ranges(
    connection: BaseDBAsyncClient, organization_id: UUID, end: datetime
) -> None:
    """Deletes kept ranges, which add the events since; the version keeps slow requests out."""
    await connection.execute_query(
        "DELETE FROM usage_range WHERE organization_id = $1 AND range_start < $2",
        [organization_id, end],
    )
    await connection.execute_query(
        "UPDATE meter SET usage_version = usage_version + 1 WHERE organization_id = $1",
        [organization_id],
    )


async def _note_events(
    connection: BaseDBAsyncClient,
    row: ArchivedMonth,
    organization_id: UUID,
    events: int,
    last_position: int,
) -> None:
    await connection.execute_query(
        """
        INSERT INTO archived_events (organization_id, month, events, last_position)
        VALUES ($1, $2, $3, $4)
        """,
        [organization_id, row.name, events, last_position],
    )
    # An archived meter that has missed some of the events can no longer count them.
    await connection.execute_query(
        """
        UPDATE meter
        SET complete_from = CASE WHEN position < $2 THEN $3 ELSE complete_from END,
            dimensions_complete_from = $3
        WHERE organization_id = $1 AND archived_at IS NOT NULL
          AND (position < $2 OR dimensions_position < $2)
        """,
        [organization_id, last_position, row.ends_at],
    )


async def _now(connection: BaseDBAsyncClient) -> datetime:
    [row] = await connection.execute_query_dict("SELECT now() AS now")
    now: datetime = row["now"]
    return now

"""Writes the folder of a month, and checks one that was written.

What takes long is done by a thread, because workers archive, too.
"""

import asyncio
import os
import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection

from metering.archive.errors import ArchiveError
from metering.archive.manifest import (
    MANIFEST,
    ArchivedFile,
    ArchivedMeter,
    Manifest,
    read_manifest,
)
from metering.archive.rows import COLUMNS, Content, file_rows, hash_of_file, stored_rows
from metering.export.formats import ParquetWriter
from metering.language.definition import definition_of
from metering.language.instants import format_instant
from metering.months import Month
from metering.usage.ranges import usage
from metering.usage.windows import Window, bucket_of
from models import Meter, Organization


def draft_of(directory: Path, month: str, archive_id: UUID) -> Path:
    """Returns where a month is written until it is whole."""
    return directory / f".{month}.{archive_id.hex}.part"


async def write_month(
    directory: Path, month: Month, archive_id: UUID, organizations: Sequence[Organization]
) -> Manifest:
    """Writes the events of a month to a folder, reads it back, and gives it its name.

    Raises:
        ArchiveError: it cannot be written, or what was read back differs.
    """
    draft, folder = draft_of(directory, month.name, archive_id), directory / month.name
    try:
        draft.mkdir(mode=0o700)
        files = [
            file
            for organization in organizations
            if (file := await _write_file(draft, month, organization)) is not None
        ]
        manifest = Manifest(archive_id, month.name, month.start, month.end, tuple(files))
        _write(draft / MANIFEST, manifest.to_json())
        await asyncio.to_thread(check_files, draft, manifest)
        _sync(draft)
        draft.rename(folder)
        _sync(directory)
    except OSError as error:
        shutil.rmtree(draft, ignore_errors=True)
        reason = error.strerror or str(error)
        raise ArchiveError(f"{folder} cannot be written: {reason}.") from error
    return manifest


async def _write_file(
    folder: Path, month: Month, organization: Organization
) -> ArchivedFile | None:
    connection = get_connection("default")
    path = folder / f"{organization.id}.parquet"
    content = Content()
    with path.open("xb") as file:
        with ParquetWriter(file, COLUMNS) as writer:
            async for rows in stored_rows(connection, organization.id, month):
                await asyncio.to_thread(content.add, rows)
                await asyncio.to_thread(writer.write, rows)
        file.flush()
        await asyncio.to_thread(os.fsync, file.fileno())
    stored = await count_of(connection, organization.id, month)
    if stored != content.events:
        raise ArchiveError(
            f"{organization.slug} has {stored:,} events in {month.name}, but {content.events:,} "
            "were read."
        )
    if content.first_at is None or content.last_at is None:
        path.unlink()
        return None
    return ArchivedFile(
        organization_id=str(organization.id),
        organization=organization.slug,
        file=path.name,
        bytes=path.stat().st_size,
        sha256=await asyncio.to_thread(hash_of_file, path),
        rows_sha256=content.digest,
        events=content.events,
        first_position=content.first_position or 0,
        last_position=content.last_position or 0,
        first_at=format_instant(content.first_at),
        last_at=format_instant(content.last_at),
        meters=await _meters(connection, organization.id, month, content.first_at),
    )


async def count_of(connection: BaseDBAsyncClient, organization_id: UUID, month: Month) -> int:
    """Returns how many events of a month are stored for an organization."""
    [row] = await connection.execute_query_dict(
        """
        SELECT count(*) AS events FROM event
        WHERE organization_id = $1 AND timestamp >= coalesce($2::timestamptz, '-infinity')
          AND timestamp < $3
        """,
        [organization_id, month.start, month.end],
    )
    found: int = row["events"]
    return found


async def _meters(
    connection: BaseDBAsyncClient, organization_id: UUID, month: Month, first_at: datetime
) -> tuple[ArchivedMeter, ...]:
    window = Window(month.start or bucket_of(first_at), month.end)
    found = []
    for meter in await Meter.filter(organization_id=organization_id).order_by("id"):
        total = (await usage(connection, definition_of(meter), [window])).total
        quantity = None if total.quantity is None else f"{total.quantity:f}"
        found.append(ArchivedMeter(str(meter.id), meter.name, total.counted, quantity))
    return tuple(found)


def check_files(folder: Path, manifest: Manifest) -> None:
    """Reads the files of a folder and compares them with the manifest.

    Raises:
        ArchiveError: a file is missing or differs.
    """
    for file in manifest.files:
        path = folder / file.file
        if not path.is_file():
            raise ArchiveError(f"{path} is missing.")
        if hash_of_file(path) != file.sha256:
            raise ArchiveError(f"{path} is not what was archived: its SHA-256 differs.")
        content = Content()
        for rows in file_rows(path):
            content.add(rows)
        if (content.events, content.digest) != (file.events, file.rows_sha256):
            raise ArchiveError(f"{path} does not have the events that were archived.")


async def whole_folder(directory: Path, month: str, archive_id: UUID) -> Manifest | None:
    """Returns the manifest of a month's folder, after checking all files; None: there is none.

    Raises:
        ArchiveError: the folder is damaged, or of another archive.
    """
    folder = directory / month
    manifest = read_manifest(folder)
    if manifest is None:
        return None
    if (manifest.archive, manifest.month) != (archive_id, month):
        raise ArchiveError(
            f"{folder} is of another archive of {month} than this database has made. Use the "
            "folder that belongs to it, or move this one away."
        )
    await asyncio.to_thread(check_files, folder, manifest)
    return manifest


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

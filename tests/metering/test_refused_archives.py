"""Archives and restores that are refused leave everything as it was."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from metering.archive.errors import ArchiveError
from models import ArchivedMonth, Meter, Organization, UsageBucket
from tests.ingesting import catch_up_all, drain, meter_of, send
from tests.metering.archives import FEBRUARY, JANUARY, MARCH, archive, meter, restore, stored

__all__ = ["meter"]  # a fixture


def _changed(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _cut_off(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 100)


def _manifest_changed(path: Path) -> None:
    manifest = path.parent / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"rows_sha256": "', '"rows_sha256": "0'))


@pytest.mark.parametrize(
    ("tamper", "message"),
    [
        (_changed, "its SHA-256 differs"),
        (_cut_off, "its SHA-256 differs"),
        (lambda path: path.unlink(), "is missing"),
        (_manifest_changed, "does not have the events"),
        (lambda path: (path.parent / "manifest.json").write_text("{}"), "is damaged"),
        (lambda path: (path.parent / "manifest.json").write_bytes(b"\0"), "cannot be read"),
        (lambda path: shutil.rmtree(path.parent), "There is no archive of 2026-01"),
    ],
)
async def test_what_is_not_what_was_archived_is_not_restored(
    meter: Meter,
    organization: Organization,
    tmp_path: Path,
    tamper: Callable[[Path], None],
    message: str,
) -> None:
    await archive(tmp_path)
    tamper(tmp_path / "2026-01" / f"{organization.id}.parquet")
    with pytest.raises(ArchiveError, match=message):
        await restore(tmp_path)
    assert len(await stored(organization)) == 10


async def test_a_folder_of_another_archive_is_neither_used_nor_overwritten(
    meter: Meter, organization: Organization, tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    await archive(first)
    await restore(first)
    with pytest.raises(ArchiveError, match="exists already"):
        await archive(first)
    await archive(second)
    with pytest.raises(ArchiveError, match="of another archive"):
        await restore(first)
    with pytest.raises(ArchiveError, match="2025-12 is not archived"):
        await restore(second, "2025-12")
    with pytest.raises(ArchiveError, match=f"no archive of 2026-01 in .*written to {second}"):
        await restore(tmp_path)
    assert await restore(second) == ["2026-01"]


async def test_months_come_back_without_a_gap(
    meter: Meter, organization: Organization, tmp_path: Path
) -> None:
    events = await stored(organization)
    assert await archive(tmp_path, MARCH) == ["2026-01", "2026-02"]
    with pytest.raises(ArchiveError, match="2026-02 has to be restored before 2026-01"):
        await restore(tmp_path, "2026-01")
    assert await restore(tmp_path, "2026-02") == ["2026-02"]
    assert await stored(organization) == events[10:]
    assert await restore(tmp_path) == ["2026-01"]
    assert await stored(organization) == events


async def test_months_with_wrong_buckets_are_not_archived(
    meter: Meter, organization: Organization, tmp_path: Path
) -> None:
    await UsageBucket.filter(
        organization_id=organization.id, meter_id=meter.id, bucket__lt=FEBRUARY
    ).update(sum=999)
    with pytest.raises(ArchiveError, match=f"usage of {organization.slug} on the meter {meter.id}"):
        await archive(tmp_path)
    assert await ArchivedMonth.all().count() == 0
    assert len(await stored(organization)) == 20


async def test_months_with_events_that_are_not_counted_are_not_archived(
    meter: Meter, other_organization: Organization, tmp_path: Path
) -> None:
    """Of any organization: the message names it."""
    await send(other_organization.id, {"timestamp": JANUARY})
    with pytest.raises(ArchiveError, match=f"{other_organization.slug}: 1 of its events"):
        await archive(tmp_path)
    await drain(other_organization.id)
    behind = await meter_of(other_organization.id)
    with pytest.raises(ArchiveError, match=f"The meter {behind.name} is still catching up"):
        await archive(tmp_path)
    await catch_up_all(other_organization.id)
    assert await archive(tmp_path) == ["2026-01"]
    names = {path.name for path in (tmp_path / "2026-01").iterdir()}
    assert len(names) == 3
    assert (tmp_path / "2026-01").stat().st_mode & 0o077 == 0

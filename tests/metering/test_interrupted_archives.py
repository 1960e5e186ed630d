"""Archives and restores that are killed or disturbed lose nothing and go on."""

import asyncio
import resource
from pathlib import Path
from typing import Any

import pytest
from tortoise.connection import get_connection

from config.settings import Settings
from metering.archive import archiving, files, restoring
from metering.archive.errors import ArchiveError, ArchiveRunningError
from metering.archive.fencing import drop
from metering.export.files import ExportFileError, locked_folder
from metering.ingest.storing import ReceiptStatus
from metering.usage.ranges import usage
from metering.usage.windows import Window
from models import ArchivedMonth, Event, Meter, Organization
from tests.ingesting import catch_up_all, definition_of, drain, meter_of, send
from tests.metering.archives import FEBRUARY, JANUARY, MARCH, archive, meter, restore, stored
from tests.postgres import connection_to

__all__ = ["meter"]  # a fixture


class Killed(BaseException):
    """The process ends here: nothing is cleaned up that a SIGKILL would not clean up."""


async def total(meter: Meter) -> Any:
    found = await usage(
        get_connection("default"), await definition_of(meter), [Window(JANUARY, MARCH)]
    )
    return found.total.quantity


def killing(patch: pytest.MonkeyPatch, module: Any, name: str, *, after: bool) -> None:
    """Kills the process as it calls a function, or as that returns."""
    original = getattr(module, name)

    async def killed(*arguments: Any) -> Any:
        if after:
            await original(*arguments)
        raise Killed

    patch.setattr(module, name, killed)


@pytest.mark.parametrize(
    ("module", "name", "after", "is_written"),
    [
        (archiving, "fence", True, False),
        (files, "_write_file", True, False),
        (archiving, "write_month", True, True),
        (archiving, "_conclude", True, True),
    ],
)
async def test_a_killed_archive_goes_on(
    meter: Meter,
    organization: Organization,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    module: Any,
    name: str,
    after: bool,  # a parameter of the test
    is_written: bool,  # the same
) -> None:
    events = await stored(organization)
    with monkeypatch.context() as patch:
        killing(patch, module, name, after=after)
        with pytest.raises(Killed):
            await archive(tmp_path)
    assert (tmp_path / "2026-01").exists() is is_written
    [row] = await ArchivedMonth.all()
    assert row.dropped_at is None
    # Events of the month are refused meanwhile, and all others are stored.
    receipts = [
        (await send(organization.id, {"timestamp": at}))[0].status for at in (JANUARY, FEBRUARY)
    ]
    assert receipts == [ReceiptStatus.REJECTED, ReceiptStatus.INSERTED]
    await (
        Event.filter(organization_id=organization.id)
        .exclude(id__in=[event["id"] for event in events])
        .delete()
    )
    assert await archive(tmp_path) in (["2026-01"], [])
    assert [path.name for path in tmp_path.iterdir()] == ["2026-01"]
    assert await stored(organization) == [
        event for event in events if event["timestamp"] >= FEBRUARY
    ]
    assert await archive(tmp_path) == []
    await restore(tmp_path)
    assert await stored(organization) == events


@pytest.mark.parametrize("name", ["_load", "_attach"])
async def test_a_killed_restore_goes_on(
    meter: Meter,
    organization: Organization,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    events = await stored(organization)
    await archive(tmp_path)
    with monkeypatch.context() as patch:
        killing(patch, restoring, name, after=True)
        with pytest.raises(Killed):
            await restore(tmp_path)
    [receipt] = await send(organization.id, {"timestamp": JANUARY})
    assert receipt.status is ReceiptStatus.REJECTED
    late = await meter_of(organization.id)
    await catch_up_all(organization.id)
    assert await total(late) == 55
    assert await restore(tmp_path) == ["2026-01"]
    assert await stored(organization) == events
    assert (await total(meter), await total(late)) == (110, 55)
    assert await restore(tmp_path) == []


async def test_a_full_disk_leaves_the_month_as_it_was(
    meter: Meter, organization: Organization, tmp_path: Path
) -> None:
    events = await stored(organization)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, limits[1]))
    try:
        with pytest.raises(ArchiveError, match=r"2026-01 cannot be written: File too large"):
            await archive(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []
    assert await stored(organization) == events
    [receipt] = await send(organization.id, {"timestamp": JANUARY})
    assert receipt.status is ReceiptStatus.INSERTED
    await drain(organization.id)
    assert await archive(tmp_path) == ["2026-01"]


async def test_only_one_archives_at_a_time(
    meter: Meter, organization: Organization, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()
    original = files.write_month

    async def slow(*arguments: Any) -> Any:
        begun.set()
        await go_on.wait()
        return await original(*arguments)

    monkeypatch.setattr(archiving, "write_month", slow)
    first = asyncio.create_task(archive(tmp_path))
    await begun.wait()
    for work in (archive(tmp_path / "other"), restore(tmp_path)):
        with pytest.raises(ArchiveRunningError):
            await work
    go_on.set()
    assert await first == ["2026-01"]
    with locked_folder(tmp_path), pytest.raises(ExportFileError):
        await archive(tmp_path, MARCH)


async def test_events_are_stored_counted_and_read_while_a_month_is_archived(
    meter: Meter, organization: Organization, settings: Settings, tmp_path: Path
) -> None:
    """Somebody reads the month all the while, so it is archived, but its table stays for now."""
    async with connection_to(settings) as other:
        await other.execute("BEGIN; SELECT count(*) FROM event")
        archiving_ = asyncio.create_task(archive(tmp_path))
        while not await ArchivedMonth.exclude(archived_at=None).exists():
            await asyncio.sleep(0.02)
            [receipt] = await send(organization.id, {"timestamp": MARCH})
            assert receipt.status is ReceiptStatus.INSERTED
            await drain(organization.id)
            assert await total(meter) == 110
        [row] = await ArchivedMonth.all()
        [receipt] = await send(organization.id, {"timestamp": MARCH})
        assert receipt.status is ReceiptStatus.INSERTED
        await drain(organization.id)
        late = await meter_of(organization.id)
        await catch_up_all(organization.id)
        assert await total(late) == 55
        await other.execute("COMMIT")
    assert await archiving_ == ["2026-01"]
    await row.refresh_from_db()
    assert row.dropped_at is not None
    assert (await total(meter), await total(late)) == (110, 55)


async def test_a_reader_that_does_not_end_delays_only_the_drop(
    meter: Meter,
    organization: Organization,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def impatient(row: ArchivedMonth) -> None:
        await drop(row, seconds=0)

    async with connection_to(settings) as other:
        await other.execute("BEGIN; SELECT count(*) FROM event")
        with monkeypatch.context() as patch:
            patch.setattr(archiving, "drop", impatient)
            for _ in range(2):  # the second time, it is half detached
                with pytest.raises(ArchiveError, match="Run the command again later"):
                    await archive(tmp_path)
        [receipt] = await send(organization.id, {"timestamp": JANUARY})
        assert receipt.status is ReceiptStatus.REJECTED
        await other.execute("COMMIT")
    assert await archive(tmp_path) == []
    [row] = await ArchivedMonth.all()
    assert row.dropped_at is not None
    assert len(await stored(organization)) == 10

"""Archives and restores in this process."""

from datetime import UTC, datetime
from pathlib import Path

from metering.archive.archiving import archive_months
from metering.archive.restoring import restore_months

JANUARY = datetime(2026, 1, 1, tzinfo=UTC)
FEBRUARY = datetime(2026, 2, 1, tzinfo=UTC)
MARCH = datetime(2026, 3, 1, tzinfo=UTC)


async def archive(folder: Path, before: datetime = FEBRUARY) -> list[str]:
    """Archives, and returns the names of the months."""
    return [done.month async for done in archive_months(before, folder)]


async def restore(folder: Path, month: str | None = None) -> list[str]:
    """Restores, and returns the names of the months."""
    return [done.month async for done in restore_months(folder, month)]

"""Archives events that are older than a setting says."""

from datetime import datetime
from pathlib import Path

import structlog

from config.clock import now
from metering.archive.archiving import archive_months
from metering.archive.errors import ArchiveError, ArchiveRunningError
from metering.export.files import ExportFileError
from metering.export.formats import ParquetMissingError
from metering.months import month_of

_log = structlog.get_logger(__name__)


class Retention:
    """Archives the months that ended so many months ago. It deletes nothing without a file.

    Args:
        months: how many whole months of events stay, besides the present one.
        directory: where the archives go; None: none are made, and the log says so.
    """

    def __init__(self, months: int, directory: Path | None) -> None:
        self._months = months
        self._directory = directory

    async def run(self) -> bool:
        """Archives; returns False if another process does."""
        try:
            await self._archive()
        except ArchiveRunningError:
            return False
        except (ArchiveError, ExportFileError, ParquetMissingError) as error:
            _log.error("events are not archived", reason=str(error))
        return True

    async def _archive(self) -> None:
        directory = self._directory
        if directory is None:
            raise ArchiveError("METERGRAPH_ARCHIVE_DIRECTORY is not set.")
        if not directory.is_dir():
            raise ArchiveError(f"There is no directory {directory}.")
        async for done in archive_months(self.before(), directory.absolute()):
            _log.info(
                "month archived",
                month=done.month,
                events=done.events,
                bytes=done.bytes,
                directory=str(directory),
            )

    def before(self) -> datetime:
        """Returns the instant from which events stay."""
        month = month_of(now())
        years, index = divmod(month.year * 12 + month.month - 1 - self._months, 12)
        return month.replace(year=max(1, years), month=index + 1)

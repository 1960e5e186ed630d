"""Archiving a month of events, and restoring it: how many a second."""

import tempfile
import time
from pathlib import Path

from benchmarks.history import store_history
from benchmarks.results import Result
from benchmarks.run import Run
from benchmarks.system import running_system
from config.clock import now
from metering.archive.archiving import archive_months
from metering.archive.restoring import restore_months
from metering.months import month_of

NAME = "archiving"
_EVENTS = 500_000
# The whole of the month before this one, on any day.
_DAYS = 62


async def measure(run: Run) -> list[Result]:
    """Archives what lies before the present month, with three meters to audit, and restores it."""
    async with running_system(run.folder) as system:
        system.stop("worker")
        tenant = await system.new_tenant()
        await store_history(
            tenant.organization.id, _EVENTS // 10 if run.quick else _EVENTS, days=_DAYS
        )
        with tempfile.TemporaryDirectory(dir=run.folder) as folder:
            directory = Path(folder)
            started = time.perf_counter()
            archived = [done async for done in archive_months(month_of(now()), directory)]
            archiving = time.perf_counter() - started
            started = time.perf_counter()
            restored = [done async for done in restore_months(directory)]
            restoring = time.perf_counter() - started
    events, size = sum(done.events for done in archived), sum(done.bytes for done in archived)
    assert sum(done.events for done in restored) == events
    return [
        Result(
            NAME,
            f"{events:,} events of {len(archived)} months: checked, written, read back, dropped",
            f"{events / archiving:,.0f} events/s",
            beside=f"{size / events:.0f} bytes an event",
        ),
        Result(NAME, "the same events restored", f"{events / restoring:,.0f} events/s"),
    ]

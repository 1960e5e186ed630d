"""Repeats a worker's tasks, by a monotonic clock and without Redis.

Several workers may run the same task at once: the database's locks serialize them.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from config import clock
from waiting.outages import Outage, is_outage

_log = structlog.get_logger(__name__)

MOST_SECONDS_SINCE_SWEEP = 15.0


class Recurring:
    """A task that a worker repeats; after a failure, the next run tries again.

    Args:
        name: its name in the log.
        work: one run.
        seconds: from the start of a run to that of the next; a longer run delays it.
        outage: the record of outages of the database, which runs update.
    """

    def __init__(
        self, name: str, work: Callable[[], Awaitable[None]], seconds: float, outage: Outage
    ) -> None:
        self._name = name
        self._work = work
        self._seconds = seconds
        self._outage = outage
        self.succeeded_at: float | None = None
        """When a run last succeeded, by `time.monotonic`."""

    async def repeat(self) -> None:
        """Repeats the task until it is cancelled."""
        while True:
            begun = time.monotonic()
            await self.run()
            await asyncio.sleep(max(0.0, begun + self._seconds - time.monotonic()))

    async def run(self) -> None:
        """Runs the task once."""
        try:
            await self._work()
        except Exception as error:  # noqa: BLE001  # the next run tries again
            if is_outage(error):
                self._outage.away(error)
            else:
                _log.exception(f"{self._name} failed")
        else:
            self.succeeded_at = time.monotonic()
            self._outage.back()


@dataclass
class WorkerStatus:
    """The state of a worker. `sweep` is None until it begins to work."""

    sweep: Recurring | None = None

    @property
    def seconds_since_sweep(self) -> float | None:
        """How long ago a sweep last succeeded; None if none has."""
        if self.sweep is None or self.sweep.succeeded_at is None:
            return None
        return time.monotonic() - self.sweep.succeeded_at

    @property
    def is_counting(self) -> bool:
        """Whether sweeps succeed."""
        seconds = self.seconds_since_sweep
        return seconds is not None and seconds <= MOST_SECONDS_SINCE_SWEEP

    @property
    def is_ready(self) -> bool:
        """Whether it counts and its machine's clock is right."""
        return self.is_counting and not clock.is_off()

"""What a worker does every so often, by a clock that nobody can set.

The schedule is each worker's own and needs no Redis. Several workers may do the same at once: they
take turns by the locks of the database.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog

from waiting.outages import Outage, is_outage

_log = structlog.get_logger(__name__)


class Recurring:
    """Work that a worker repeats, one run after the other; what fails is tried again next time.

    Args:
        name: what it is called in the log.
        work: one run.
        seconds: from the start of a run to that of the next; a longer run delays it.
        outage: that of the database, which the runs tell about.
    """

    def __init__(
        self, name: str, work: Callable[[], Awaitable[None]], seconds: float, outage: Outage
    ) -> None:
        self._name = name
        self._work = work
        self._seconds = seconds
        self._outage = outage
        self.succeeded_at: float | None = None
        """When a run last ended well, by `time.monotonic`."""

    async def repeat(self) -> None:
        """Repeats it until it is cancelled."""
        while True:
            begun = time.monotonic()
            await self.run()
            await asyncio.sleep(max(0.0, begun + self._seconds - time.monotonic()))

    async def run(self) -> None:
        """Does it once."""
        try:
            await self._work()
        except Exception as error:  # noqa: BLE001  # the next run tries again, whatever it is
            if is_outage(error):
                self._outage.away(error)
            else:
                _log.exception(f"{self._name} failed")
        else:
            self.succeeded_at = time.monotonic()
            self._outage.back()

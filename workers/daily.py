"""Does once a day what a worker's schedule asks for every few minutes."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from config.clock import now

_DAY = timedelta(days=1)
_SOON = timedelta(hours=1)


class Daily:
    """Work that is done at most once a day.

    Args:
        work: returns whether it is done. If not, it is repeated an hour later.
    """

    def __init__(self, work: Callable[[], Awaitable[bool]]) -> None:
        self._work = work
        self._next: datetime | None = None

    async def run(self) -> None:
        """Does the work, unless that was tried in the last day."""
        if self._next is not None and now() < self._next:
            return
        # A failure is repeated tomorrow, too: the work reads or writes whole months.
        self._next = now() + _DAY
        if not await self._work():
            self._next = now() + _SOON

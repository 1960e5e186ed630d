"""One run at a time for each key in a process, and one more run for those who asked meanwhile."""

from collections.abc import Awaitable, Callable
from uuid import UUID


class SingleFlight:
    """Keeps jobs for one organization from queueing up behind its lock, each with a connection.

    Whoever asks while a run is under way leaves at once: the run starts over when it has ended,
    and so sees everything that was committed before it was asked.
    """

    def __init__(self, run: Callable[[UUID], Awaitable[None]]) -> None:
        self._run = run
        self._asked_again: dict[UUID, bool] = {}

    async def run(self, key: UUID) -> None:
        """Runs, or makes the run under way start over; returns at once in the latter case."""
        if key in self._asked_again:
            self._asked_again[key] = True
            return
        self._asked_again[key] = True
        try:
            while self._asked_again[key]:
                self._asked_again[key] = False
                await self._run(key)
        finally:
            del self._asked_again[key]

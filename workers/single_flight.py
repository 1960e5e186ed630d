"""One run at a time for each key in a process, and one more run for those who asked meanwhile."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import structlog

_log = structlog.get_logger(__name__)


class SingleFlight:
    """Keeps jobs for one organization from queueing up behind its lock, each with a connection.

    Whoever asks while a run is under way leaves at once: the run starts over when it has ended,
    and so sees everything that was committed before it was asked. Also when it has failed: those
    who asked have gone, so that nobody else would run for them.
    """

    def __init__(self, run: Callable[[UUID], Awaitable[None]]) -> None:
        self._run = run
        self._asked_again: dict[UUID, bool] = {}

    async def run(self, key: UUID) -> None:
        """Runs, or makes the run under way start over; returns at once in the latter case.

        Raises what the last run raised.
        """
        if key in self._asked_again:
            self._asked_again[key] = True
            return
        self._asked_again[key] = True
        try:
            while self._asked_again[key]:
                self._asked_again[key] = False
                try:
                    await self._run(key)
                except Exception as error:
                    if not self._asked_again[key]:
                        raise
                    _log.warning("failed, and is asked for again", reason=repr(error))
        finally:
            del self._asked_again[key]

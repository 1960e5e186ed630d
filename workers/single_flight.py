"""Limits a process to one run at a time per key, plus one for requests that came meanwhile."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import structlog

_log = structlog.get_logger(__name__)


class SingleFlight:
    """Keeps an organization's jobs from queueing for its lock, each with a connection.

    A request during a run returns at once. When the run ends, even by an error, it starts over and
    so sees everything that was committed before the request.
    """

    def __init__(self, run: Callable[[UUID], Awaitable[None]]) -> None:
        self._run = run
        self._asked_again: dict[UUID, bool] = {}

    async def run(self, key: UUID) -> None:
        """Runs, or makes the current run start over and returns at once.

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

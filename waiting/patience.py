"""How long to wait for work on PostgreSQL, where silence and slowness look the same.

A connection that fell silent never answers; a step of counting on a busy machine may take long. So
the first wait is short, each one that was in vain doubles the next, and work that took long gets
longer waits from then on: a silent connection costs seconds, and slow work gets the time it needs.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar

from waiting.outages import OutageError

T = TypeVar("T")

FIRST_SECONDS = 10.0
MOST_SECONDS = 600.0
_OF_WHAT_IT_TOOK = 4.0


class Patience:
    """The waits of one process for one kind of work, by what is worked on.

    Args:
        first_seconds: how long the first wait is.
    """

    def __init__(self, first_seconds: float = FIRST_SECONDS) -> None:
        self._first = first_seconds
        self._seconds: dict[Hashable, float] = {}
        self._abandoned: set[asyncio.Future[Any]] = set()

    async def wait_for(self, key: Hashable, work: Callable[[], Awaitable[T]]) -> T:
        """What `work` returns or raises.

        Work that takes too long is cancelled and left behind: to cancel it means to talk to
        PostgreSQL over the connection that is silent. The same holds where the caller is cancelled.

        Raises OutageError in place of an answer that did not come.
        """
        seconds = self._seconds.get(key, self._first)
        begun = time.monotonic()
        task = asyncio.ensure_future(work())
        try:
            await asyncio.wait((task,), timeout=seconds)
        finally:
            if not task.done():
                self._abandon(task)
        if not task.done():
            self._seconds[key] = min(2 * seconds, MOST_SECONDS)
            raise OutageError(f"no answer from PostgreSQL within {seconds:g} s")
        usual = _OF_WHAT_IT_TOOK * (time.monotonic() - begun)
        if usual > self._first:
            self._seconds[key] = min(usual, MOST_SECONDS)
        else:
            self._seconds.pop(key, None)
        return task.result()

    def _abandon(self, task: "asyncio.Future[Any]") -> None:
        task.cancel()
        self._abandoned.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: "asyncio.Future[Any]") -> None:
        self._abandoned.discard(task)
        if not task.cancelled():
            task.exception()  # seen; whoever waited was told of the silence

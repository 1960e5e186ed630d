"""Adapts how long to wait for work on PostgreSQL, where silence and slowness look the same.

A silent connection never answers; a step of counting on a busy machine may be slow. So the first
wait is short, each timeout doubles the next wait, and slow work is given longer waits from then on.
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
    """The waits of a process for one kind of work, by key.

    Args:
        first_seconds: the length of the first wait.
    """

    def __init__(self, first_seconds: float = FIRST_SECONDS) -> None:
        self._first = first_seconds
        self._seconds: dict[Hashable, float] = {}
        self._abandoned: set[asyncio.Future[Any]] = set()

    async def wait_for(self, key: Hashable, work: Callable[[], Awaitable[T]]) -> T:
        """Returns or raises what `work` does. Raises OutageError if it takes too long.

        Work that takes too long, or whose caller is cancelled, is cancelled but not awaited:
        cancelling it needs an answer over the same silent connection.
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
            task.exception()  # retrieved; the caller got an OutageError

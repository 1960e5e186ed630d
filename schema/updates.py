"""Updates of subscriptions: one that many subscriptions select alike is made and encoded once.

Two updates are alike if they show the same change, for subscriptions with the same document and
variables, to callers with the same permissions. An update is shared for a second and then made
again, because the customer or the meter that it shows may have changed.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

from graphql import ExecutionResult

SECONDS = 1.0
MOST_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Update:
    """An update that a subscription passes on.

    Args:
        key: which change it shows.
        make: makes the object whose fields are selected.
    """

    key: Hashable
    make: Callable[[], Awaitable[Any]]


@dataclass(slots=True)
class _Made:
    task: "asyncio.Task[tuple[ExecutionResult, int]]"
    since: float
    kept_alive: object
    size: int = field(default=0)


class SharedUpdates:
    """The updates that this process has made lately. One per process."""

    def __init__(self) -> None:
        self._made: OrderedDict[Hashable, _Made] = OrderedDict()
        self._bytes = 0

    async def result(
        self,
        key: Hashable,
        make: Callable[[], Awaitable[tuple[ExecutionResult, int]]],
        kept_alive: object,
    ) -> ExecutionResult:
        """The result of `make`, which is called for the first caller only; others share it.

        `kept_alive` is referenced meanwhile, so that no other object gets an id in the key.
        """
        self._forget_old()
        made = self._made.get(key)
        if made is None:
            # A separate task, because the first caller may leave before the others have the result.
            task = asyncio.ensure_future(make())
            made = _Made(task, asyncio.get_running_loop().time(), kept_alive)
            self._made[key] = made
            task.add_done_callback(lambda _task: self._note(key, made))
        found = made.task.result() if made.task.done() else await asyncio.shield(made.task)
        return found[0]

    def _note(self, key: Hashable, made: _Made) -> None:
        """Counts what was made; after a failure, the next caller tries again."""
        failed = made.task.cancelled() or made.task.exception() is not None
        if self._made.get(key) is not made:
            return
        if failed or made.task.result()[0].errors:
            del self._made[key]
            return
        made.size = made.task.result()[1]
        self._bytes += made.size
        self._forget_old()

    def _forget_old(self) -> None:
        before = asyncio.get_running_loop().time() - SECONDS
        while self._made:
            key, oldest = next(iter(self._made.items()))
            if oldest.since > before and self._bytes <= MOST_BYTES:
                return
            del self._made[key]
            self._bytes -= oldest.size

"""Fair queues: a busy key does not delay the others.

A key is, for example, an organization. The key that has been served least comes next. Within a key,
the order is first come, first served.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager

# Pieces per pass. One takes a tenth of a millisecond, so a pass takes about a millisecond.
PIECES = 10

# Passes that let no piece through, between two that do. A request of another key takes about twelve
# passes, so it waits for pieces in three or four of them only.
_BREATHS = 3


class CrowdedError(RuntimeError):
    """Too many callers with one key are waiting already."""


class _Queue:
    """The waiters, by key."""

    def __init__(self) -> None:
        self._waiting: dict[Hashable, dict[asyncio.Future[None], float]] = {}
        # How much each key has been served. A new key starts where the last one served did;
        # otherwise it would catch up for the time in which it was idle.
        self._served: dict[Hashable, float] = {}
        self._now = 0.0

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def length(self, key: Hashable) -> int:
        """Returns how many waiters have this key."""
        return len(self._waiting.get(key, ()))

    def add(self, key: Hashable, weight: float) -> asyncio.Future[None]:
        """Adds a waiter, who awaits the future."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, {})[future] = weight
        return future

    def remove(self, key: Hashable, future: asyncio.Future[None]) -> None:
        """Removes a waiter."""
        waiting = self._waiting.get(key, {})
        if waiting.pop(future, None) is not None and not waiting:
            self._forget(key)

    def serve(self, may: Callable[[Hashable], bool]) -> tuple[Hashable, float] | None:
        """Serves the next waiter whose key `may` be served. Returns its key and weight, or None."""
        while (key := min(filter(may, self._waiting), key=self._start, default=None)) is not None:
            waiting = self._waiting[key]
            future = next(iter(waiting))
            weight = waiting.pop(future)
            start = self._start(key)
            if not waiting:
                self._forget(key)
            if not future.done():  # else the waiter has just been cancelled
                future.set_result(None)
                self._now = start
                self._served[key] = start + weight
                return key, weight
        return None

    def _start(self, key: Hashable) -> float:
        return max(self._now, self._served.get(key, 0.0))

    def _forget(self, key: Hashable) -> None:
        del self._waiting[key]
        if not self._waiting:
            self._served.clear()
            self._now = 0.0


class Turns:
    """A number of places; each key may hold only some of them.

    Args:
        places: how many places there are.
        each: how many of them one key may have.
        waiting: how many waiters one key may have; None for any number.
    """

    def __init__(self, places: int, each: int, waiting: int | None = None) -> None:
        self._free = places
        self._each = each
        self._most_waiting = waiting
        self._taken: Counter[Hashable] = Counter()
        self._queue = _Queue()

    @asynccontextmanager
    async def place(self, key: Hashable, weight: float = 1.0) -> AsyncIterator[None]:
        """Holds a place during the block. Raises CrowdedError if too many of the key wait."""
        await self.take(key, weight)
        try:
            yield
        finally:
            self.give_back(key)

    async def take(self, key: Hashable, weight: float = 1.0) -> None:
        """Waits for a place, which is held until `give_back`. Raises CrowdedError."""
        if self._may(key) and not self._queue.length(key):
            self._enter(key)
            return
        if self._most_waiting is not None and self._queue.length(key) >= self._most_waiting:
            raise CrowdedError
        turn = self._queue.add(key, weight)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._queue.remove(key, turn)
            else:  # the turn came just as the caller was cancelled
                self.give_back(key)
            raise

    def give_back(self, key: Hashable) -> None:
        """Frees the place that `take` gave."""
        self._free += 1
        self._taken[key] -= 1
        if not self._taken[key]:
            del self._taken[key]
        while (served := self._queue.serve(self._may)) is not None:
            self._enter(served[0])

    def _may(self, key: Hashable) -> bool:
        return self._free > 0 and self._taken[key] < self._each

    def _enter(self, key: Hashable) -> None:
        self._free -= 1
        self._taken[key] += 1


class Pace:
    """Lets a few pieces of work through in every fourth pass of the event loop.

    All callbacks that are ready run in one pass, and everything else waits for it. So code with
    many pieces of work awaits its turn before each, and other requests go on between passes.

    Args:
        pieces: how many run in such a pass. A heavy piece counts as several; one that is heavier
            than a pass has the pass to itself.
    """

    def __init__(self, pieces: int) -> None:
        self._pieces = pieces
        self._queue = _Queue()
        self._is_running = False
        self._breaths = 0

    async def turn(self, key: Hashable, weight: float = 1.0) -> None:
        """Waits until a piece may run."""
        turn = self._queue.add(key, weight)
        if not self._is_running:
            self._is_running = True
            asyncio.get_running_loop().call_soon(self._pass)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._queue.remove(key, turn)
            raise

    def _pass(self) -> None:
        if self._breaths:
            self._breaths -= 1
        else:
            left = float(self._pieces)
            while left > 0 and (served := self._queue.serve(_any_key)) is not None:
                left -= served[1]
            self._breaths = _BREATHS
        self._is_running = bool(self._queue)
        if self._is_running:
            asyncio.get_running_loop().call_soon(self._pass)


def _any_key(_key: Hashable) -> bool:
    return True

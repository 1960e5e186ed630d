"""Taking turns: what one key wants much of does not keep the others from their share. A leaf.

A key is whoever must not wait for another, such as an organization. Between keys, the one that has
been served least comes next; those of one key are served in the order in which they came.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager

# Of a tenth of a millisecond each, so that those who wait for a pass wait for a millisecond or so.
PIECES = 10

# Passes without any between two that let pieces through. A request of somebody else takes a dozen
# passes: it waits for three or four pieces, not for one in each.
_BREATHS = 3


class CrowdedError(RuntimeError):
    """As many of one key wait as may."""


class _Queue:
    """Those who wait, by key."""

    def __init__(self) -> None:
        self._waiting: dict[Hashable, dict[asyncio.Future[None], float]] = {}
        # What each key has been served; one that comes starts where the one served last did, or
        # it would be owed all the time in which it wanted nothing.
        self._served: dict[Hashable, float] = {}
        self._now = 0.0

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def length(self, key: Hashable) -> int:
        """How many of a key wait."""
        return len(self._waiting.get(key, ()))

    def add(self, key: Hashable, weight: float) -> asyncio.Future[None]:
        """Adds one, who waits for the future."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, {})[future] = weight
        return future

    def remove(self, key: Hashable, future: asyncio.Future[None]) -> None:
        """Takes one out who waits no more."""
        waiting = self._waiting.get(key, {})
        if waiting.pop(future, None) is not None and not waiting:
            self._forget(key)

    def serve(self, may: Callable[[Hashable], bool]) -> tuple[Hashable, float] | None:
        """Serves the next one whose key may be; gives the key and the weight, or None."""
        while (key := min(filter(may, self._waiting), key=self._start, default=None)) is not None:
            waiting = self._waiting[key]
            future = next(iter(waiting))
            weight = waiting.pop(future)
            start = self._start(key)
            if not waiting:
                self._forget(key)
            if not future.done():  # or whoever waited has just been cancelled
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
    """Places of which each key has some at most.

    Args:
        places: how many there are.
        each: how many of them one key may have.
        waiting: how many of one key may wait; None: any number.
    """

    def __init__(self, places: int, each: int, waiting: int | None = None) -> None:
        self._free = places
        self._each = each
        self._most_waiting = waiting
        self._taken: Counter[Hashable] = Counter()
        self._queue = _Queue()

    @asynccontextmanager
    async def place(self, key: Hashable, weight: float = 1.0) -> AsyncIterator[None]:
        """A place, for the block; raises CrowdedError where too many of the key wait already."""
        await self.take(key, weight)
        try:
            yield
        finally:
            self.give_back(key)

    async def take(self, key: Hashable, weight: float = 1.0) -> None:
        """Waits for a place, which `give_back` ends; raises CrowdedError."""
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
            else:  # it came just as the caller left
                self.give_back(key)
            raise

    def give_back(self, key: Hashable) -> None:
        """Ends what `take` began."""
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
    """Lets a few pieces of work through in one pass of the event loop in four.

    What is ready at once runs in one pass, for which everybody waits, whatever it is. So whoever
    has many pieces asks before each; between passes, requests of others go on.

    Args:
        pieces: how many in such a pass. A heavy one counts as several; one that is heavier than a
            pass has the pass to itself.
    """

    def __init__(self, pieces: int) -> None:
        self._pieces = pieces
        self._queue = _Queue()
        self._is_running = False
        self._breaths = 0

    async def turn(self, key: Hashable, weight: float = 1.0) -> None:
        """Waits for the turn of a piece."""
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
            while left > 0 and (served := self._queue.serve(_anybody)) is not None:
                left -= served[1]
            self._breaths = _BREATHS
        self._is_running = bool(self._queue)
        if self._is_running:
            asyncio.get_running_loop().call_soon(self._pass)


def _anybody(_key: Hashable) -> bool:
    return True

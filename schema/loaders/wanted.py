"""A dataloader that stops when no caller waits for it.

Strawberry's goes on for a request that was cut off or whose client has left. A scan would then keep
a processor of the database and a place among the scans for an answer that no client reads.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

from strawberry.dataloader import DataLoader

K = TypeVar("K")
V = TypeVar("V")


class WantedLoader(DataLoader[K, V], Generic[K, V]):
    """Loads many keys at once while a caller waits for any of them; caches nothing."""

    def __init__(self, load: Callable[[list[K]], Awaitable[Sequence[V]]]) -> None:
        super().__init__(self._load_wanted, cache=False)
        self._load_many = load

    async def _load_wanted(self, keys: list[K]) -> Sequence[Any]:
        # This is still the same batch: the next one begins when this one is dispatched.
        tasks = [] if self.batch is None else self.batch.tasks
        waiting = [task.future for task in tasks]
        work = asyncio.ensure_future(self._load_many(keys))

        def look(_future: "asyncio.Future[V]") -> None:
            if all(future.cancelled() for future in waiting):
                work.cancel()

        for future in waiting:
            future.add_done_callback(look)
        try:
            return await work
        except asyncio.CancelledError:
            if not all(future.cancelled() for future in waiting):
                raise
            return [None] * len(keys)  # no caller is left to get it

"""How many subscriptions each token holds open in this process, over sockets and streams."""

from collections import Counter
from uuid import UUID

from schema.context import Identity
from schema.errors import RateLimited


class OpenSubscriptions:
    """Counts what is open, and refuses what is too much."""

    def __init__(self, maximum: int) -> None:
        self._maximum = maximum
        self._open: Counter[UUID] = Counter()

    def enter(self, caller: Identity | None) -> None:
        """Counts one more; raises RateLimited where that is one too many."""
        if caller is None:
            return
        key = caller.counted_as
        if self._open[key] >= self._maximum:
            raise RateLimited(f"This token has its {self._maximum} subscriptions already")
        self._open[key] += 1

    def leave(self, caller: Identity | None) -> None:
        """Takes back one that was counted."""
        if caller is None:
            return
        key = caller.counted_as
        self._open[key] -= 1
        if not self._open[key]:
            del self._open[key]

    @property
    def total(self) -> int:
        """How many are open."""
        return self._open.total()

"""How many subscriptions are open in this process, over sockets and streams, and whose they are."""

from collections import Counter
from uuid import UUID

from schema.context import Identity, SessionIdentity
from schema.errors import RateLimited

# A customer's page watches a few meters. A session is in the hands of a browser.
MOST_OF_SESSION = 10


class OpenSubscriptions:
    """Counts what is open, and refuses what is too much.

    Args:
        maximum: the most of a token, and of a customer over all its sessions. Over sockets, other
            operations count as well.
    """

    def __init__(self, maximum: int) -> None:
        self._maximum = maximum
        self._open: Counter[UUID] = Counter()
        self._of_sessions: Counter[UUID] = Counter()

    def enter(self, caller: Identity | None, *, endless: bool = True) -> None:
        """Counts one more; raises RateLimited where that is one too many.

        What is not `endless` is no subscription, and does not count as one of a session.
        """
        if caller is None:
            return
        key = caller.counted_as
        if self._open[key] >= self._maximum:
            raise RateLimited(f"This token has its {self._maximum} subscriptions already")
        if endless and isinstance(caller, SessionIdentity):
            if self._of_sessions[caller.session_id] >= MOST_OF_SESSION:
                raise RateLimited(f"This session has its {MOST_OF_SESSION} subscriptions already")
            self._of_sessions[caller.session_id] += 1
        self._open[key] += 1

    def leave(self, caller: Identity | None, *, endless: bool = True) -> None:
        """Takes back one that was counted."""
        if caller is None:
            return
        _take_back(self._open, caller.counted_as)
        if endless and isinstance(caller, SessionIdentity):
            _take_back(self._of_sessions, caller.session_id)

    @property
    def total(self) -> int:
        """How many are open."""
        return self._open.total()


def _take_back(counter: Counter[UUID], key: UUID) -> None:
    counter[key] -= 1
    if not counter[key]:
        del counter[key]

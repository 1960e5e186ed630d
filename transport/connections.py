"""Tracks what a process holds open for its clients: streams, WebSockets and subscriptions.

When the process ends, streams and idle WebSockets are closed, because they would never end by
themselves. Operations that do end, such as mutations, may finish: if their WebSocket were closed,
the client would send them again elsewhere.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable
from typing import Protocol
from uuid import UUID

from schema.context import Identity, SessionIdentity
from schema.errors import RateLimited

# A session belongs to a customer's browser, whose page watches a few meters.
MOST_OF_SESSION = 10


class Stream(Protocol):
    """A response that continues until one side ends it."""

    def end(self) -> None:
        """Ends it so that the client reconnects."""


class Socket(Protocol):
    """A WebSocket with any number of operations."""

    def answering(self) -> Iterable[asyncio.Task[None]]:
        """Returns the operations that will end by themselves."""


class OpenConnections:
    """The streams and WebSockets of one process; each adds and removes itself."""

    def __init__(self) -> None:
        self.streams: set[Stream] = set()
        self.sockets: set[Socket] = set()
        self.ending = False

    async def end(self, seconds: float) -> None:
        """Ends streams and waits for operations over WebSockets; new ones are not accepted.

        The server then closes WebSockets, and so tells their clients to reconnect.
        """
        self.ending = True
        for stream in list(self.streams):
            stream.end()
        tasks = [task for socket in self.sockets for task in socket.answering()]
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)


class OpenSubscriptions:
    """Counts the open subscriptions of this process, and refuses too many.

    Args:
        maximum: the most for a token, and for a customer over all its sessions. Over WebSockets,
            other operations count too.
    """

    def __init__(self, maximum: int) -> None:
        self._maximum = maximum
        self._open: Counter[UUID] = Counter()
        self._of_sessions: Counter[UUID] = Counter()

    def enter(self, caller: Identity | None, *, endless: bool = True) -> None:
        """Adds one; raises RateLimited if that is one too many.

        An operation that is not `endless` does not count as a subscription of a session.
        """
        if caller is None:
            return
        key = caller.counted_as
        if self._open[key] >= self._maximum:
            raise RateLimited(f"This token already has {self._maximum} subscriptions, the maximum")
        if endless and isinstance(caller, SessionIdentity):
            if self._of_sessions[caller.session_id] >= MOST_OF_SESSION:
                raise RateLimited(
                    f"This session already has {MOST_OF_SESSION} subscriptions, the maximum"
                )
            self._of_sessions[caller.session_id] += 1
        self._open[key] += 1

    def leave(self, caller: Identity | None, *, endless: bool = True) -> None:
        """Removes one."""
        if caller is None:
            return
        _take_back(self._open, caller.counted_as)
        if endless and isinstance(caller, SessionIdentity):
            _take_back(self._of_sessions, caller.session_id)

    @property
    def total(self) -> int:
        """The number of open subscriptions."""
        return self._open.total()


def _take_back(counter: Counter[UUID], key: UUID) -> None:
    counter[key] -= 1
    if not counter[key]:
        del counter[key]

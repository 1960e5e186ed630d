"""Listens to channels of Redis on a connection that may fall silent."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

from metering.live.redis_connections import REDIS_FAILURES

SECONDS_OF_SILENCE = 1.0
"""How long a listener waits for a message before it feels the pulse."""

_SECONDS_BETWEEN_CONNECTS = 0.5
_SECONDS_FOR_PONG = 3.0


class Pulse:
    """Checks that a subscribed connection is alive.

    Such a connection cannot tell a dead server from a quiet one. After a silence this sends a ping,
    and the listener replaces the connection if no answer comes in time. redis-py pings such
    connections too, but does not notice that no answer comes.
    """

    def __init__(self, pubsub: Any) -> None:
        self._pubsub = pubsub
        self._asked_at: float | None = None

    async def feel(self, message: Any) -> None:
        """Notes a message, or None after a silence. Raises TimeoutError if a ping got no answer."""
        if message is not None:
            self._asked_at = None
        elif self._asked_at is None:
            self._asked_at = time.monotonic()
            await self._pubsub.ping()
        elif time.monotonic() - self._asked_at >= _SECONDS_FOR_PONG:
            raise TimeoutError("Redis does not answer on the connection of a listener")


async def keep_listening(listen: Callable[[], Awaitable[None]]) -> NoReturn:
    """Listens again whenever the connection is lost. Runs until it is cancelled."""
    while True:
        try:
            await listen()
        except REDIS_FAILURES:
            # The connection's circuit has logged it.
            await asyncio.sleep(_SECONDS_BETWEEN_CONNECTS)


def notice_cancellation() -> None:
    """Raises CancelledError if redis-py lost the cancellation of this task (Python 3.11).

    Its wait_for can lose one that comes just as its wait ends.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError

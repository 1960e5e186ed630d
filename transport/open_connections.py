"""What a process holds open for its clients, and how that ends when the process does.

Streams of a subscription and idle sockets would never end by themselves. What was begun and does
end by itself, such as a mutation, is let finish: a client whose socket is closed under it sends it
again elsewhere.
"""

import asyncio
from collections.abc import Iterable
from typing import Protocol


class Stream(Protocol):
    """A response that goes on until somebody ends it."""

    def end(self) -> None:
        """Ends it, in a way that lets the client come again."""


class Socket(Protocol):
    """A WebSocket with any number of operations."""

    def answering(self) -> Iterable[asyncio.Task[None]]:
        """The operations that end by themselves."""


class OpenConnections:
    """The streams and sockets of one process; each enters itself and takes itself out."""

    def __init__(self) -> None:
        self.streams: set[Stream] = set()
        self.sockets: set[Socket] = set()
        self.ending = False

    async def end(self, seconds: float) -> None:
        """Ends streams, and waits so long for operations over sockets; none is taken any more.

        Sockets are closed by the server, which tells their clients to connect again.
        """
        self.ending = True
        for stream in list(self.streams):
            stream.end()
        tasks = [task for socket in self.sockets for task in socket.answering()]
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)

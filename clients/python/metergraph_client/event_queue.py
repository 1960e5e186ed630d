"""The bounded queue between the application's threads and the one that delivers.

Events stay in the queue until they are stored or rejected, so what is being sent is never
forgotten.
"""

import contextlib
import threading
import time
from collections import deque
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass

from metergraph_client.errors import UndeliveredError
from metergraph_client.events import Event


@dataclass(frozen=True, slots=True)
class Queued:
    """An event in the queue, written as JSON when it came."""

    number: int
    event: Event
    content: bytes
    since: float


@dataclass(frozen=True)
class Limits:
    """How many events wait, and when the next request has enough of them."""

    queue_events: int
    batch_events: int
    batch_bytes: int
    linger_seconds: float


class EventQueue:
    """Takes events from any thread; one thread takes batches from its front."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._changed = threading.Condition()
        self._pending: deque[Queued] = deque()
        self._bytes = 0
        self._next_number = 0
        self._wanting_room: set[Future[None]] = set()
        self._flushing: list[tuple[int, Future[None]]] = []
        self._is_hurried = False
        self._deadline: float | None = None

    def __len__(self) -> int:
        return len(self._pending)

    @property
    def is_closed(self) -> bool:
        """Whether it takes no more events."""
        return self._deadline is not None

    def put(self, event: Event, content: bytes) -> bool:
        """Adds an event; False if the queue is full."""
        with self._changed:
            if len(self._pending) >= self._limits.queue_events:
                return False
            self._pending.append(Queued(self._next_number, event, content, time.monotonic()))
            self._next_number += 1
            self._bytes += len(content)
            # The first event starts the clock, and a full batch need not wait for it.
            if len(self._pending) == 1 or self._is_batch_full():
                self._changed.notify_all()
            return True

    def room(self) -> "Future[None]":
        """Is done as soon as there may be room for one more event."""
        done: Future[None] = Future()
        with self._changed:
            if len(self._pending) < self._limits.queue_events:
                done.set_result(None)
            else:
                self._wanting_room.add(done)
                # Callers that give up during a long outage leave nothing behind.
                done.add_done_callback(self._wanting_room.discard)
        return done

    def flush(self) -> "Future[None]":
        """Is done when all events that are in the queue now have left it. Sends them at once."""
        done: Future[None] = Future()
        with self._changed:
            self._flushing = [waiter for waiter in self._flushing if not waiter[1].done()]
            self._flushing.append((self._next_number, done))
            self._is_hurried = True
            self._tell_waiters()
            self._changed.notify_all()
        return done

    def close(self, seconds: float) -> None:
        """Takes no more events; there are no more batches when it is empty or time is up."""
        with self._changed:
            self._deadline = time.monotonic() + seconds
            self._is_hurried = True
            self._changed.notify_all()

    def remaining_seconds(self) -> float | None:
        """How long until a closed queue gives up. None if it is open."""
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def next_batch(self, most: int) -> list[Queued]:
        """Waits for the next events, which stay in the queue. Empty if there will be none."""
        with self._changed:
            while True:
                if self._deadline is not None and (
                    not self._pending or time.monotonic() >= self._deadline
                ):
                    return []
                wait = self._seconds_until_ripe()
                if wait is not None and wait <= 0:
                    return self._front(most)
                self._changed.wait(wait)

    def remove(self, batch: list[Queued]) -> None:
        """Takes a batch out: its events are stored or rejected."""
        with self._changed:
            self._pop(batch)
            self._is_hurried = False
            for done in list(self._wanting_room):
                set_done(done)
            self._tell_waiters()

    def move_to_end(self, batch: list[Queued]) -> None:
        """Lets the other events go first."""
        with self._changed:
            for queued in self._pop(batch):
                self._pending.append(queued)
                self._bytes += len(queued.content)

    def drain(self) -> list[Event]:
        """Takes everything out."""
        with self._changed:
            left = [queued.event for queued in self._pending]
            self._pending.clear()
            self._bytes = 0
            for _, done in self._flushing if left else ():
                with contextlib.suppress(InvalidStateError):
                    done.set_exception(UndeliveredError(left))
            self._tell_waiters()
            return left

    def pause(self, seconds: float, *, can_be_hurried: bool) -> bool:
        """Waits before the next try, at most until a closed queue gives up.

        Returns:
            Whether it was cut short, because flush() or close() was called.
        """
        end = time.monotonic() + seconds
        with self._changed:
            while True:
                if can_be_hurried and self._is_hurried:
                    self._is_hurried = False
                    return True
                until = end if self._deadline is None else min(end, self._deadline)
                if (left := until - time.monotonic()) <= 0:
                    return False
                self._changed.wait(left)

    def _is_batch_full(self) -> bool:
        limits = self._limits
        return len(self._pending) >= limits.batch_events or self._bytes >= limits.batch_bytes

    def _seconds_until_ripe(self) -> float | None:
        if not self._pending:
            return None
        if self._flushing or self._deadline is not None or self._is_batch_full():
            return 0
        return self._pending[0].since + self._limits.linger_seconds - time.monotonic()

    def _front(self, most: int) -> list[Queued]:
        batch: list[Queued] = []
        size = 0
        for queued in self._pending:
            size += len(queued.content)
            if len(batch) >= most or (batch and size > self._limits.batch_bytes):
                break
            batch.append(queued)
        return batch

    def _pop(self, batch: list[Queued]) -> list[Queued]:
        popped = []
        for queued in batch:
            if self._pending and self._pending[0] is queued:
                popped.append(self._pending.popleft())
                self._bytes -= len(queued.content)
        return popped

    def _tell_waiters(self) -> None:
        if not self._flushing:
            return
        oldest = min((queued.number for queued in self._pending), default=self._next_number)
        for number, done in self._flushing:
            if number <= oldest:
                set_done(done)
        self._flushing = [waiter for waiter in self._flushing if not waiter[1].done()]


def set_done(done: "Future[None]") -> None:
    """Tells whoever waits, unless they have given up."""
    with contextlib.suppress(InvalidStateError):
        done.set_result(None)

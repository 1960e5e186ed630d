"""Taking events, delivering them in the background, and ending: what both clients share."""

import atexit
import contextlib
import logging
import os
import sys
import threading
import weakref
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from metergraph_client.delivery import Delivering, Delivery, Totals
from metergraph_client.errors import ClosedError, FlushTimeoutError, UndeliveredError
from metergraph_client.event_queue import EventQueue, Limits, set_done
from metergraph_client.events import Event, identified
from metergraph_client.graphql import Endpoint
from metergraph_client.outcomes import Rejection

logger = logging.getLogger("metergraph_client")

OnRejected = Callable[[Sequence[Rejection]], None]
OnUndelivered = Callable[[Sequence[Event], str], None]


@dataclass(frozen=True)
class Stats:
    """What became of the events of this client, in this process.

    Attributes:
        queued: how many wait, or are being sent.
        inserted: how many were stored.
        duplicates: how many were stored already, because an answer was lost.
        rejected: how many Metergraph refused.
        undelivered: how many were given up: at the end, or dropped because the queue was full.
        retries: how many requests failed and were repeated.
    """

    queued: int
    inserted: int
    duplicates: int
    rejected: int
    undelivered: int
    retries: int


@dataclass(frozen=True)
class Settings:
    """How events are delivered; the clients' docstrings explain each."""

    endpoint: Endpoint
    timeout: float
    limits: Limits
    close_seconds: float
    on_rejected: OnRejected | None
    on_undelivered: OnUndelivered | None


class Ingestion:
    """A queue, and the thread that empties it, which begins with the first event."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._begin()
        _open.add(self)

    def put(self, event: Event) -> Event | None:
        """Takes an event and returns it with its id and timestamp; None if the queue is full.

        Raises:
            ClosedError: the client is closed.
            TypeError, ValueError: the event cannot be written as JSON.
        """
        event = identified(event)
        content = event.to_json().encode()
        with self._lock:
            if self._queue.is_closed:
                raise ClosedError(event)
            if not self._queue.put(event, content):
                return None
            if self._delivery is None:
                self._start()
        return event

    def record(self, events: Iterable[Event]) -> None:
        """Takes events without waiting or raising; gives up those that cannot be taken."""
        for event in map(identified, events):
            reason = "the queue is full"
            try:
                if self.put(event) is not None:
                    continue
            except (ClosedError, TypeError, ValueError) as error:
                reason = str(error)
            self.give_up([event], reason)

    def room(self) -> "Future[None]":
        """Is done as soon as there may be room for one more event."""
        return self._queue.room()

    def give_up(self, events: Sequence[Event], reason: str) -> None:
        """Counts and reports events that are not delivered. Never raises."""
        with self._totals.lock:
            self._totals.undelivered += len(events)
        if self._settings.on_undelivered is None:
            ids = ", ".join(str(event.external_id) for event in events[:10])
            logger.error("%d events are not delivered (%s): %s", len(events), reason, ids)
            return
        try:
            self._settings.on_undelivered(events, reason)
        except Exception:
            logger.exception("on_undelivered failed for %d events", len(events))

    def flush(self) -> "Future[None]":
        """Is done when the events of now have left the queue."""
        if self._delivery is not None and threading.current_thread() is self._delivery.thread:
            raise RuntimeError("flush() and close() cannot be called by on_rejected.")
        return self._queue.flush()

    def not_flushed(self) -> FlushTimeoutError:
        """What to raise if that took too long."""
        return FlushTimeoutError(len(self._queue))

    def begin_to_close(self, seconds: float) -> "Future[None]":
        """Takes no more events. Is done when all are delivered, or time is up."""
        with self._lock:
            if not self._queue.is_closed:
                self._queue.close(seconds)
            atexit.unregister(self._close_at_exit)
            delivery = self._delivery
        ended: Future[None] = Future()
        if delivery is None:
            ended.set_result(None)
            return ended
        if not delivery.thread.is_alive() and not delivery.finished.done():
            delivery.run()  # no thread could be started any more
        delivery.finished.add_done_callback(lambda _: set_done(ended))
        return ended

    def finish_closing(self) -> None:
        """Reports what was not delivered.

        Raises:
            UndeliveredError: there is something.
        """
        if left := self._queue.drain():
            self.give_up(left, "the client was closed")
            raise UndeliveredError(left)

    @property
    def close_seconds(self) -> float:
        """How long closing may take, by default."""
        return self._settings.close_seconds

    @property
    def stats(self) -> Stats:
        """The numbers so far."""
        totals = self._totals
        with totals.lock:
            return Stats(
                len(self._queue),
                totals.inserted,
                totals.duplicates,
                totals.rejected,
                totals.undelivered,
                totals.retries,
            )

    def begin_again_after_fork(self) -> None:
        """Forgets the parent's events, which the parent delivers, and its thread and locks."""
        was_closed = self._queue.is_closed
        self._begin()
        if was_closed:
            self._queue.close(0)

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._totals = Totals()
        self._queue = EventQueue(self._settings.limits)
        self._delivery: Delivery | None = None

    def _start(self) -> None:
        settings = self._settings
        delivering = Delivering(
            settings.endpoint, settings.timeout, settings.limits.batch_events, self._tell_rejected
        )
        self._delivery = Delivery(self._queue, delivering, self._totals)
        atexit.register(self._close_at_exit)
        # A child of multiprocessing ends without atexit.
        if (multiprocessing := sys.modules.get("multiprocessing.util")) is not None:
            multiprocessing.Finalize(None, self._close_at_exit, exitpriority=100)
        try:
            self._delivery.thread.start()
        except RuntimeError:
            logger.debug("The interpreter ends; events are delivered when the client is closed")

    def _tell_rejected(self, rejections: Sequence[Rejection]) -> None:
        if self._settings.on_rejected is None:
            first = rejections[0]
            logger.error(
                "Metergraph rejected %d events. %s: %s: %s",
                *(len(rejections), first.event.external_id, first.code, first.message),
            )
            return
        try:
            self._settings.on_rejected(rejections)
        except Exception:
            logger.exception("on_rejected failed for %d events", len(rejections))

    def _close_at_exit(self) -> None:
        seconds = self._settings.close_seconds
        with contextlib.suppress(TimeoutError):  # finish_closing tells
            self.begin_to_close(seconds).result(seconds)
        with contextlib.suppress(UndeliveredError):  # give_up has told
            self.finish_closing()


_open: "weakref.WeakSet[Ingestion]" = weakref.WeakSet()


def _after_fork() -> None:
    for ingestion in list(_open):
        ingestion.begin_again_after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

"""The thread that delivers: one request at a time, from the front of the queue.

It tries until Metergraph has stored or rejected an event, or the client is closed. A batch that
fails as a whole is sent in ever smaller parts, so that one bad event keeps back no other.
"""

import logging
import random
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

import httpx

from metergraph_client.errors import UnreachableError
from metergraph_client.event_queue import EventQueue, Queued
from metergraph_client.graphql import Endpoint, read_answer, request_body
from metergraph_client.outcomes import (
    INGEST,
    Halve,
    Later,
    Outcome,
    Rejection,
    outcome,
    outcome_of_failure,
)

logger = logging.getLogger("metergraph_client")

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
# `request_body` without variables ends in `{}}`, which the events replace.
_BEFORE = request_body(INGEST, {}).removesuffix(b"{}}")
_BEFORE += b'{"input":{"onInvalid":"SKIP_INVALID","events":['
_AFTER = b"]}}}"


@dataclass
class Totals:
    """What became of the events so far, and how many requests had to be repeated."""

    inserted: int = 0
    duplicates: int = 0
    rejected: int = 0
    undelivered: int = 0
    retries: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True)
class Delivering:
    """What the thread needs to know."""

    endpoint: Endpoint
    timeout: float
    batch_events: int
    on_rejected: Callable[[Sequence[Rejection]], None]


class Delivery:
    """Delivers the events of a queue until it is closed and empty, or gives up."""

    def __init__(self, queue: EventQueue, settings: Delivering, totals: Totals) -> None:
        self._queue = queue
        self._settings = settings
        self._totals = totals
        self._most = settings.batch_events
        self._failures = 0
        self.finished: Future[None] = Future()
        self.thread = threading.Thread(target=self.run, name="metergraph-delivery", daemon=True)

    def run(self) -> None:
        """Returns when the queue has no more batches."""
        try:
            endpoint = self._settings.endpoint
            with httpx.Client(headers=endpoint.headers, verify=endpoint.tls) as http:
                while batch := self._queue.next_batch(self._most):
                    self._act(batch, self._send(http, batch))
        except BaseException:
            logger.exception("Delivery to Metergraph has stopped")
            raise
        finally:
            self.finished.set_result(None)

    def _send(self, http: httpx.Client, batch: Sequence[Queued]) -> Outcome:
        content = _BEFORE + b",".join(queued.content for queued in batch) + _AFTER
        remaining = self._queue.remaining_seconds()
        timeout = self._settings.timeout
        if remaining is not None:
            timeout = max(0.001, min(timeout, remaining))
        try:
            response = http.post(self._settings.endpoint.url, content=content, timeout=timeout)
            return outcome(batch, read_answer(response))
        except UnreachableError as error:
            return outcome_of_failure(batch, error)
        except httpx.HTTPError as error:
            return Later(f"{type(error).__name__}: {error}")
        except Exception as error:
            logger.exception("An answer of Metergraph could not be read")
            return Later(f"{type(error).__name__}: {error}", splits=True)

    def _act(self, batch: list[Queued], result: Outcome) -> None:
        if isinstance(result, Halve):
            self._most = max(1, len(batch) // 2)
        elif isinstance(result, Later):
            self._try_later(batch, result)
        else:
            if self._failures:
                logger.info("Events are delivered again, after %d tries", self._failures)
            self._failures = 0
            self._most = min(self._settings.batch_events, self._most * 2)
            with self._totals.lock:
                self._totals.inserted += result.inserted
                self._totals.duplicates += result.duplicates
                self._totals.rejected += len(result.rejections)
            if result.rejections:
                self._settings.on_rejected(result.rejections)
            self._queue.remove(batch)

    def _try_later(self, batch: list[Queued], result: Later) -> None:
        if result.splits:
            if len(batch) == 1:
                self._queue.move_to_end(batch)
            self._most = max(1, len(batch) // 2)
        self._failures += 1
        with self._totals.lock:
            self._totals.retries += 1
        pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(self._failures - 1, 10))
        # Clients that were cut off together do not come back together.
        pause *= random.uniform(0.5, 1)  # noqa: S311  # nothing secret
        if result.retry_after is not None:
            pause = max(pause, result.retry_after)
        logger.warning("%d events wait: %s", len(self._queue), result.reason)
        if self._queue.pause(pause, can_be_hurried=result.retry_after is None):
            self._failures = 0

"""The client for threads."""

import contextlib
import os
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from types import TracebackType
from typing import Any, Literal, Self

import httpx

from metergraph_client.errors import QueueFullError, UnreachableError
from metergraph_client.event_queue import Limits
from metergraph_client.events import Event, identified
from metergraph_client.graphql import data_of, endpoint, read_answer, request_body
from metergraph_client.ingestion import (
    Ingestion,
    OnRejected,
    OnUndelivered,
    Settings,
    Stats,
)
from metergraph_client.reads import (
    CUSTOMER_METER,
    CUSTOMER_METERS,
    USAGE_CHECK,
    CustomerMeter,
    UsageCheck,
    check_variables,
    read_check,
    read_meter,
    read_meters,
)


class Metergraph:
    """Sends events in the background, and asks questions. For any number of threads.

    Args:
        url: such as https://usage.example. By default, METERGRAPH_API_URL.
        token: an access token. By default, METERGRAPH_TOKEN.
        timeout: seconds that a request may wait for the server.
        queue_events: how many events may wait for delivery.
        when_full: what ingest() does when the queue is full: `block` waits for up to
            `block_seconds`, then raises QueueFullError; `raise` raises it at once; `drop` gives
            the event to on_undelivered.
        block_seconds: see `when_full`.
        batch_events: the most events in a request.
        batch_bytes: the most bytes of events in a request.
        linger_seconds: how long an event may wait for others to go with it.
        close_seconds: how long close(), and the end of the process, may take.
        on_rejected: is called with events that Metergraph refused. By default, they are logged.
        on_undelivered: is called with events that were given up, and why. By default, their ids
            are logged.

    Both callbacks may be called by another thread, and should be quick.
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        timeout: float = 30.0,
        queue_events: int = 10_000,
        when_full: Literal["block", "raise", "drop"] = "block",
        block_seconds: float = 1.0,
        batch_events: int = 500,
        batch_bytes: int = 1_000_000,
        linger_seconds: float = 0.2,
        close_seconds: float = 10.0,
        on_rejected: OnRejected | None = None,
        on_undelivered: OnUndelivered | None = None,
    ) -> None:
        self._endpoint = endpoint(url, token)
        self._timeout = timeout
        self._when_full = when_full
        self._block_seconds = block_seconds
        limits = Limits(queue_events, batch_events, batch_bytes, linger_seconds)
        self._ingestion = Ingestion(
            Settings(self._endpoint, timeout, limits, close_seconds, on_rejected, on_undelivered)
        )
        self._open_http()

    def ingest(
        self,
        name: str,
        *,
        external_customer_id: str | None = None,
        customer_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        external_id: str | None = None,
        timestamp: datetime | None = None,
    ) -> str:
        """Takes an event for delivery, and returns its external id.

        Raises:
            QueueFullError: too many events wait; `when_full` says what happens then.
            ClosedError: the client is closed.
            TypeError, ValueError: the event cannot be written as JSON.
        """
        event = Event(
            name, external_customer_id, customer_id, external_id, timestamp, metadata or {}
        )
        return self.ingest_event(event)

    def ingest_event(self, event: Event) -> str:
        """Does what ingest() does, with an event that is made already."""
        event = identified(event)
        deadline = time.monotonic() + self._block_seconds
        while self._ingestion.put(event) is None:
            if self._when_full == "drop":
                self._ingestion.give_up([event], "the queue is full")
                break
            left = deadline - time.monotonic()
            if self._when_full == "raise" or left <= 0:
                raise QueueFullError(event)
            room = self._ingestion.room()
            try:
                room.result(left)
            except TimeoutError:
                raise QueueFullError(event) from None
            finally:
                room.cancel()
        return str(event.external_id)

    def ingest_events(self, events: Iterable[Event]) -> list[str]:
        """Does what ingest_event() does for each event, until one is not taken."""
        return [self.ingest_event(event) for event in events]

    def record(self, events: Iterable[Event]) -> None:
        """Takes events without waiting or raising; on_undelivered gets those that do not fit."""
        self._ingestion.record(events)

    def flush(self, timeout: float = 30.0) -> None:
        """Waits until each event so far is stored or rejected.

        Raises:
            FlushTimeoutError: it took too long. Delivery goes on.
        """
        flushed = self._ingestion.flush()
        try:
            flushed.result(timeout)
        except TimeoutError:
            raise self._ingestion.not_flushed() from None
        finally:
            flushed.cancel()

    def close(self, timeout: float | None = None) -> None:
        """Delivers what is left, for up to `timeout` seconds; by default, close_seconds.

        Raises:
            UndeliveredError: events are left. It has them, and on_undelivered got them, too.
        """
        seconds = self._ingestion.close_seconds if timeout is None else timeout
        with contextlib.suppress(TimeoutError):  # finish_closing tells
            self._ingestion.begin_to_close(seconds).result(seconds)
        if self._process == os.getpid():
            self._http.close()
        self._ingestion.finish_closing()

    @property
    def stats(self) -> Stats:
        """What became of the events so far."""
        return self._ingestion.stats

    def execute(
        self,
        query: str,
        variables: Mapping[str, Any] | None = None,
        *,
        timeout: float | None = None,
    ) -> Mapping[str, Any]:
        """Runs a GraphQL operation once, and returns its data.

        Raises:
            ApiError: Metergraph answered with an error.
            InvalidInputError: a mutation answered with userErrors.
            UnreachableError: there was no answer. A mutation may have taken effect.
        """
        http = self._http_of_this_process()
        try:
            response = http.post(
                self._endpoint.url,
                content=request_body(query, variables),
                timeout=self._timeout if timeout is None else timeout,
            )
        except httpx.HTTPError as error:
            raise UnreachableError(f"{type(error).__name__}: {error}") from error
        return data_of(read_answer(response))

    def usage_check(
        self,
        meter_id: str,
        *,
        external_customer_id: str | None = None,
        customer_id: str | None = None,
        units: Decimal | int = 1,
        timeout: float | None = None,
    ) -> UsageCheck:
        """Asks whether a customer may use `units` more on a meter.

        Raises:
            ApiError: with the code NOT_FOUND, if the customer or the meter does not exist.
            UnreachableError: there was no answer; your application decides.
        """
        variables = check_variables(meter_id, external_customer_id, customer_id, units)
        return read_check(self.execute(USAGE_CHECK, variables, timeout=timeout))

    def customer_meters(
        self, external_customer_id: str | None = None, *, customer_id: str | None = None
    ) -> list[CustomerMeter]:
        """A customer's usage and balance on each of its meters. Empty for an unknown customer."""
        meters: list[CustomerMeter] = []
        after: str | None = None
        while True:
            ids = {"id": customer_id, "externalId": external_customer_id}
            page = read_meters(self.execute(CUSTOMER_METERS, {**ids, "after": after}))
            meters += page.meters
            if (after := page.after) is None:
                return meters

    def customer_meter(
        self,
        meter_id: str,
        *,
        external_customer_id: str | None = None,
        customer_id: str | None = None,
    ) -> CustomerMeter | None:
        """A customer's usage and balance on a meter. None if there is neither."""
        ids = {"id": customer_id, "externalId": external_customer_id}
        return read_meter(self.execute(CUSTOMER_METER, {**ids, "meter": meter_id}))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _open_http(self) -> None:
        self._process = os.getpid()
        self._http = httpx.Client(headers=self._endpoint.headers, verify=self._endpoint.tls)

    def _http_of_this_process(self) -> httpx.Client:
        # After a fork, the parent and the child must not share connections.
        if self._process != os.getpid():
            self._open_http()
        return self._http

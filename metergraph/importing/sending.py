"""Sends events to the API in batches, several at a time, and keeps only those in memory."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from metergraph.api_client import ApiClient, ApiError
from metergraph.importing.mapping import RowError
from metergraph.importing.outgoing import OutgoingEvent
from metergraph.importing.reporting import Refusals, Reporter
from metergraph.importing.rows import Row

# Well below the API's limit for a request.
_BATCH_BYTES = 4 * 1024 * 1024

_INGEST = """
mutation Import($events: [EventInput!]!) {
  eventsIngest(input: {events: $events, onInvalid: SKIP_INVALID}) {
    inserted duplicates conflicts rejected userErrors { message }
  }
}
"""
# Sent only after a batch with faults, because receipts are long. Every event has an external id, so
# those that were stored the first time are duplicates now.
_FAULTS = """
mutation ImportFaults($events: [EventInput!]!) {
  eventsIngest(input: {events: $events, onInvalid: SKIP_INVALID}) {
    receipts { index error { message } }
  }
}
"""


class StoppedError(RuntimeError):
    """A bad row stopped the import, because of --fail-fast."""


@dataclass(slots=True)
class Totals:
    """The outcomes of the rows. `refused` includes rows that were not sent."""

    rows: int = 0
    inserted: int = 0
    duplicates: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class _Batch:
    """Events of consecutive rows, and where in the file the last of these rows ends."""

    events: list[OutgoingEvent]
    rows: int
    offset: int


class Importer:
    """Sends the rows of one file.

    Args:
        client: a client of the API.
        reporter: shows progress.
        refusals: records bad rows.
        batch_size: the most events in one request.
        concurrency: the most requests at a time.
        fail_fast: stop at the first bad row.
    """

    def __init__(
        self,
        client: ApiClient,
        reporter: Reporter,
        refusals: Refusals,
        *,
        batch_size: int = 1_000,
        concurrency: int = 4,
        fail_fast: bool = False,
    ) -> None:
        self.totals = Totals()
        self._client = client
        self._reporter = reporter
        self._refusals = refusals
        self._batch_size = batch_size
        self._slots = asyncio.Semaphore(concurrency)
        self._fail_fast = fail_fast

    async def run(self, rows: Iterable[Row], event_of: Callable[[Row], OutgoingEvent]) -> Totals:
        """Sends the events that `event_of` makes; it raises RowError for a bad row.

        Raises:
            ApiError: the API refuses, or stays away.
            StoppedError: a row is bad, and `fail_fast` is set.
        """
        try:
            async with asyncio.TaskGroup() as requests:
                for batch in self._batches(rows, event_of):
                    await self._slots.acquire()
                    requests.create_task(self._send(batch))
        except ExceptionGroup as group:
            raise group.exceptions[0] from None
        finally:
            self._refusals.end()
        return self.totals

    def _batches(
        self, rows: Iterable[Row], event_of: Callable[[Row], OutgoingEvent]
    ) -> Iterator[_Batch]:
        events: list[OutgoingEvent] = []
        size = count = offset = 0
        for row in rows:
            count += 1
            offset = row.offset
            try:
                event = event_of(row)
            except RowError as error:
                self._refuse(row.line, str(error))
                continue
            events.append(event)
            size += len(event.json)
            if len(events) == self._batch_size or size >= _BATCH_BYTES:
                yield _Batch(events, count, offset)
                events = []
                size = count = 0
        if count:
            yield _Batch(events, count, offset)

    async def _send(self, batch: _Batch) -> None:
        try:
            if batch.events:
                await self._store(batch.events)
            self.totals.rows += batch.rows
            self._reporter.advance(self.totals.rows, batch.offset)
        finally:
            self._slots.release()

    async def _store(self, events: list[OutgoingEvent]) -> None:
        variables = {"events": [orjson.Fragment(event.json) for event in events]}
        stored = (await self._client.execute(_INGEST, variables))["eventsIngest"]
        if stored["userErrors"]:
            raise ApiError(f"The API refused the request: {stored['userErrors'][0]['message']}")
        self.totals.inserted += stored["inserted"]
        self.totals.duplicates += stored["duplicates"]
        if stored["conflicts"] or stored["rejected"]:
            faults = (await self._client.execute(_FAULTS, variables))["eventsIngest"]
            self._refuse_all(events, faults["receipts"])

    def _refuse_all(self, events: list[OutgoingEvent], receipts: list[dict[str, Any]]) -> None:
        for receipt in receipts:
            if receipt["error"] is not None:
                self._refuse(events[receipt["index"]].line, receipt["error"]["message"])

    def _refuse(self, line: int, problem: str) -> None:
        self.totals.refused += 1
        self._refusals.add(line, problem)
        if self._fail_fast:
            raise StoppedError(f"Stopped at line {line} because of --fail-fast.")

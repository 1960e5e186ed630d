"""Decides what follows from the answer to a batch of events. Does no I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from metergraph_client.errors import UnreachableError
from metergraph_client.event_queue import Queued
from metergraph_client.events import Event
from metergraph_client.graphql import Answer

_TOKEN = frozenset({"UNAUTHENTICATED", "FORBIDDEN"})
_OUTAGES = frozenset({"INTERNAL", "RATE_LIMITED"})
_PAYLOAD_TOO_LARGE = 413
_SERVICE_UNAVAILABLE = 503

INGEST = """mutation Ingest($input: EventsIngestInput!) {
  eventsIngest(input: $input) {
    receipts { status error { code message path } }
    userErrors { code message path }
  }
}"""


@dataclass(frozen=True)
class Rejection:
    """An event that Metergraph refused. Sending it again would not change that.

    Attributes:
        event: the event, as it was sent.
        code: such as INVALID, or CONFLICT if another event has its external id.
        message: a sentence for people.
        path: which part of the event is at fault, such as ("metadata",).
    """

    event: Event
    code: str
    message: str
    path: tuple[str, ...] = ()


@dataclass(frozen=True)
class Settled:
    """Every event of the batch is stored, now or before, or rejected."""

    inserted: int = 0
    duplicates: int = 0
    rejections: list[Rejection] = field(default_factory=list)


@dataclass(frozen=True)
class Later:
    """Try again after a while. `splits`: with fewer events, because one may be the reason."""

    reason: str
    retry_after: float | None = None
    splits: bool = False


@dataclass(frozen=True)
class Halve:
    """Send fewer events at a time: the batch is too large, or one event spoils it."""


Outcome = Settled | Later | Halve


def outcome(batch: Sequence[Queued], answer: Answer) -> Outcome:
    """What follows from an answer of Metergraph."""
    if answer.error is None:
        return _of_receipts(batch, answer.data or {})
    error = answer.error
    if error.code in _TOKEN:
        return _rejected(batch, error.code, error.message)
    if error.code in _OUTAGES or answer.status >= _SERVICE_UNAVAILABLE:
        # An internal error that is no outage may be the fault of one event.
        is_bug = error.code != "RATE_LIMITED" and "retryable" not in error.extensions
        return Later(str(error), answer.retry_after, splits=is_bug)
    return _refused(batch, error.code, error.message)


def outcome_of_failure(batch: Sequence[Queued], error: UnreachableError) -> Outcome:
    """What follows if there was no answer of Metergraph."""
    if error.status == _PAYLOAD_TOO_LARGE:
        return _refused(batch, "TOO_COMPLEX", str(error))
    return Later(str(error), error.retry_after)


def _of_receipts(batch: Sequence[Queued], data: Mapping[str, Any]) -> Outcome:
    payload = data.get("eventsIngest") or {}
    problems = payload.get("userErrors") or []
    if problems:
        return _refused(batch, problems[0]["code"], problems[0]["message"])
    receipts = payload.get("receipts") or []
    statuses = [receipt["status"] for receipt in receipts]
    if len(receipts) != len(batch) or "SKIPPED" in statuses:
        return Later(f"{len(batch)} events got {len(receipts)} receipts.", splits=True)
    rejections = [
        Rejection(
            queued.event,
            receipt["error"]["code"],
            receipt["error"]["message"],
            tuple(receipt["error"]["path"][2:]),  # after "events" and the index
        )
        for queued, receipt in zip(batch, receipts, strict=True)
        if receipt["status"] in {"CONFLICT", "REJECTED"}
    ]
    return Settled(statuses.count("INSERTED"), statuses.count("DUPLICATE"), rejections)


def _refused(batch: Sequence[Queued], code: str, message: str) -> Outcome:
    return Halve() if len(batch) > 1 else _rejected(batch, code, message)


def _rejected(batch: Sequence[Queued], code: str, message: str) -> Settled:
    return Settled(rejections=[Rejection(queued.event, code, message) for queued in batch])

"""Checks events before they are sent, so that a bad row is reported by its line.

The API would refuse the whole request for one malformed event, and cannot know the line.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from metergraph.importing.mapping import RowError
from metergraph.importing.row_ids import RowIds
from metering.ingest.events import check_event
from metering.language.instants import format_instant, read_iso
from metering.problems import Problem
from models import exact_json
from schema.ids import decode_id

_KEYS = {"name", "customerId", "externalCustomerId", "externalId", "timestamp", "metadata"}
# Only the API decides whether a timestamp is in the future, because its clock counts.
_NEVER_AHEAD = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class OutgoingEvent:
    """An event as JSON text, and its line in the file."""

    line: int
    json: str


def outgoing_event(
    event: Mapping[str, Any], line: int, ids: RowIds, *, assume_utc: bool
) -> OutgoingEvent:
    """Checks an event with the keys of EventInput; raises RowError.

    Args:
        event: JSON values.
        line: its line in the file.
        ids: give it an external id if it has none.
        assume_utc: a timestamp without an offset is in UTC; otherwise it is an error.
    """
    unknown = event.keys() - _KEYS
    if unknown:
        raise RowError(f"{', '.join(sorted(unknown))}: an event has no such field")
    if event.get("name") is None:
        raise RowError("the event has no name")
    timestamp = event.get("timestamp")
    if assume_utc and isinstance(timestamp, str):
        timestamp = _in_utc_by_default(timestamp)
    draft = check_event(
        {**event, "timestamp": timestamp},
        _NEVER_AHEAD,
        lambda public_id: decode_id(public_id, "Customer"),
    )
    if isinstance(draft, Problem):
        raise RowError(draft.message + _hint(draft, timestamp))
    external_id = draft.external_id
    if external_id is None:
        external_id = ids.next_id(draft, event.get("customerId"), event.get("metadata"))
    instant = None if draft.timestamp is None else format_instant(draft.timestamp)
    sent = {
        "name": draft.name,
        "customerId": event.get("customerId"),
        "externalCustomerId": draft.external_customer_id,
        "externalId": external_id,
        "timestamp": instant,
        "metadata": orjson.Fragment(draft.metadata),
    }
    return OutgoingEvent(
        line, exact_json.dumps({key: value for key, value in sent.items() if value is not None})
    )


def _hint(error: Problem, timestamp: object) -> str:
    if error.path != ("timestamp",) or not isinstance(timestamp, str):
        return ""
    try:
        instant = read_iso(timestamp.strip())
    except ValueError:
        return ""
    return " Use --assume-utc if it is in UTC." if instant.tzinfo is None else ""


def _in_utc_by_default(text: str) -> datetime | str:
    try:
        instant = read_iso(text.strip())
    except ValueError:
        return text  # the check reports it
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant

"""Makes external ids for rows without one, from the event, so that they are the same in any file.

Rows that make the same event are its first, second, third … occurrence, each with its own id. So
stored events are recognized after the file has grown, lost rows or been sorted.
"""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

from metering.ingest.events import EventDraft
from metering.language.instants import format_instant
from models import exact_json

DEFAULT_PREFIX = "import"
LONGEST_PREFIX = 200
_DIGEST_BYTES = 16

# SQLite keeps what exceeds its cache in a temporary file, which it deletes.
_SETTINGS = ("journal_mode = OFF", "synchronous = OFF", "cache_size = -65536")
_TABLE = "CREATE TABLE seen (content BLOB PRIMARY KEY, times INTEGER NOT NULL) WITHOUT ROWID"
_SEE = """
INSERT INTO seen VALUES (?, 1) ON CONFLICT DO UPDATE SET times = times + 1 RETURNING times
"""


class RowIds:
    """The ids of one file's rows, in its order.

    `made_undated`: an event without a timestamp got an id, which equal rows in other files share.
    """

    def __init__(self, seen: sqlite3.Connection, prefix: str) -> None:
        self.made_undated = False
        self._seen = seen
        self._prefix = prefix

    def next_id(self, draft: EventDraft, customer_id: str | None, metadata: Any) -> str:
        """Returns the id of the next row, which makes this event.

        Args:
            draft: the event.
            customer_id: the public id of its customer, if the row has one.
            metadata: its metadata, as JSON values.
        """
        instant = _instant(draft.timestamp)
        self.made_undated |= instant is None
        content = [draft.name, customer_id, draft.external_customer_id, instant, metadata or {}]
        text = exact_json.dumps(_canonical(content))
        digest = hashlib.sha256(text.encode()).digest()[:_DIGEST_BYTES]
        (occurrence,) = self._seen.execute(_SEE, [digest]).fetchone()
        return f"{self._prefix}-{digest.hex()}-{occurrence}"


@contextmanager
def row_ids(prefix: str) -> Iterator[RowIds]:
    """The ids of a file's rows, which begin with `prefix`."""
    with closing(sqlite3.connect("", isolation_level=None)) as seen:
        for setting in _SETTINGS:
            seen.execute(f"PRAGMA {setting}")
        seen.execute(_TABLE)
        seen.execute("BEGIN")
        yield RowIds(seen, prefix)


def _instant(timestamp: datetime | None) -> str | None:
    return None if timestamp is None else format_instant(timestamp)


def _canonical(value: Any) -> Any:
    """Writes JSON that PostgreSQL considers equal alike: sorts keys, writes 1.50 as 1.5."""
    if isinstance(value, dict):
        return {key: _canonical(item) for key, item in sorted(value.items())}
    if isinstance(value, list | tuple):
        return [_canonical(item) for item in value]
    if isinstance(value, Decimal):
        text = f"{value:f}"
        short = text.rstrip("0").rstrip(".") if "." in text else text
        return exact_json.written("0" if short == "-0" else short)
    return value

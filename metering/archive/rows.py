"""The rows of an archive: read from the database, written to a file, and read from it again."""

import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from tortoise.backends.base.client import BaseDBAsyncClient

from metering.export.events import PIECE
from metering.export.formats import Kind, import_parquet
from metering.language.voided import BATCH_ID
from metering.months import Month

COLUMNS = {
    "id": Kind.TEXT,
    "batch_id": Kind.INTEGER,
    "customer_id": Kind.TEXT,
    "name": Kind.TEXT,
    "external_id": Kind.TEXT,
    "timestamp": Kind.INSTANT,
    "metadata": Kind.JSON,
    "position": Kind.INTEGER,
    "received_at": Kind.INSTANT,
    "customer_external_id": Kind.TEXT,
}
"""The columns of `event`, without the organization, and for readers of the file three more.

The batch of a voided event is negative, as in `event`.
"""

EVENT_COLUMNS = tuple(COLUMNS)[:7]

_FIRST_INSTANT = datetime(1, 1, 1, tzinfo=UTC)
_FIRST_ID = UUID(int=0)

# The page comes before the joins.
_PAGE = f"""
SELECT e.*, b.position, b.received_at, c.external_id AS customer_external_id
FROM (
    SELECT id, batch_id, customer_id, name, external_id, timestamp, metadata FROM event
    WHERE organization_id = $1 AND (timestamp, id) > ($2, $3) AND timestamp < $4
    ORDER BY timestamp, id LIMIT $5
) AS e
JOIN event_batch b ON b.organization_id = $1 AND b.id = {BATCH_ID}
LEFT JOIN customer c ON c.organization_id = $1 AND c.id = e.customer_id
ORDER BY e.timestamp, e.id
"""


@dataclass
class Content:
    """What a file has, so far: a hash of its rows in order, and what they range over."""

    events: int = 0
    first_position: int | None = None
    last_position: int | None = None
    first_at: datetime | None = None
    last_at: datetime | None = None
    _hash: Any = field(default_factory=hashlib.sha256)

    def add(self, rows: Sequence[dict[str, Any]]) -> None:
        """Adds rows of COLUMNS."""
        for row in rows:
            self._hash.update(orjson.dumps([row[name] for name in COLUMNS]))
        positions = [row["position"] for row in rows]
        self.events += len(rows)
        self.first_position = min((*positions, self.first_position or min(positions)))
        self.last_position = max((*positions, self.last_position or 0))
        self.first_at = self.first_at or rows[0]["timestamp"]
        self.last_at = rows[-1]["timestamp"]

    @property
    def digest(self) -> str:
        """The hash of all rows. It does not depend on how the file is compressed."""
        found: str = self._hash.hexdigest()
        return found


async def stored_rows(
    connection: BaseDBAsyncClient, organization_id: UUID, month: Month
) -> AsyncIterator[list[dict[str, Any]]]:
    """Yields an organization's events of a month by timestamp and id, in pieces."""
    after, last = month.start or _FIRST_INSTANT, _FIRST_ID
    while True:
        rows = await connection.execute_query_dict(
            _PAGE, [organization_id, after, last, month.end, PIECE]
        )
        if rows:
            yield [
                {**row, "id": str(row["id"]), "customer_id": str(row["customer_id"])}
                for row in rows
            ]
        if len(rows) < PIECE:
            return
        after, last = rows[-1]["timestamp"], rows[-1]["id"]


def file_rows(path: Path) -> Iterator[list[dict[str, Any]]]:
    """Yields the rows of a file, in pieces.

    Raises:
        ParquetMissingError: pyarrow is not installed.
    """
    _pa, pq = import_parquet()
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=PIECE):
            yield batch.to_pylist()


def hash_of_file(path: Path) -> str:
    """Returns the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

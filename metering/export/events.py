"""Reads counted events in the order of the log, in pieces of bounded size."""

from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

from tortoise.connection import get_connection

from metering.archive.boundary import events_from
from metering.language.erased import SHOWN_METADATA
from metering.usage.windows import Window

PIECE = 2_000
"""The most events that are in memory at a time."""

_BATCHES = 1_000


class EventsMissingError(RuntimeError):
    """Events of the range are not in the database, for example because they were archived."""


async def head_of(organization_id: UUID) -> int:
    """Returns the last position of the log."""
    rows = await get_connection("default").execute_query_dict(
        "SELECT head FROM event_log WHERE organization_id = $1", [organization_id]
    )
    return rows[0]["head"] if rows else 0


async def read_log(
    organization_id: UUID, after: int, through: int, window: Window | None = None
) -> AsyncIterator[list[dict[str, Any]]]:
    """Yields the events after a position and up to another one, by position and id.

    Voided events are left out. Apart from that, positions and events do not change, so reading a
    range again yields the same events. With a window, only events that happened in it; those from
    before it may be archived.

    Raises:
        EventsMissingError: batches have had more events than are stored.
    """
    async for batches in _groups(organization_id, after, through):
        ids = [batch["id"] for batch in batches]
        stored = 0
        last: UUID | None = None
        while True:
            rows = await _page(organization_id, ids, last)
            stored += len(rows)
            wanted = [row for row in rows if window is None or _is_in(window, row)]
            if wanted:
                yield wanted
            if len(rows) < PIECE:
                break
            last = rows[-1]["id"]
        expected = sum(batch["event_count"] for batch in batches)
        if stored != expected:
            stored += await _voided(organization_id, ids)
        if stored != expected and not await _may_be_archived(window, batches):
            raise EventsMissingError(
                f"{expected - stored:,} events at positions {batches[0]['position']:,} to "
                f"{batches[-1]['position']:,} are not in the database. If they were archived, "
                "bring the archive back, or export what happened since then with --start and --end."
            )


async def _may_be_archived(window: Window | None, batches: Sequence[dict[str, Any]]) -> bool:
    """Whether what batches lack happened before the window, in months that are archived."""
    stored_from = await events_from(get_connection("default"))
    if window is None or stored_from is None or window.start < stored_from:
        return False
    return any(batch["first_at"] is None or batch["first_at"] < stored_from for batch in batches)


def _is_in(window: Window, row: dict[str, Any]) -> bool:
    is_in: bool = window.start <= row["timestamp"] < window.end
    return is_in


async def _groups(
    organization_id: UUID, after: int, through: int
) -> AsyncIterator[Sequence[dict[str, Any]]]:
    """Yields batches in order: several that have fewer events than a piece, or one."""
    group: list[dict[str, Any]] = []
    while True:
        batches = await get_connection("default").execute_query_dict(
            """
            SELECT id, position, event_count, first_at FROM event_batch
            WHERE organization_id = $1 AND position > $2 AND position <= $3
            ORDER BY position LIMIT $4
            """,
            [organization_id, after, through, _BATCHES],
        )
        for batch in batches:
            if group and sum(each["event_count"] for each in (*group, batch)) >= PIECE:
                yield group
                group = []
            group.append(batch)
        if len(batches) < _BATCHES:
            break
        after = batches[-1]["position"]
    if group:
        yield group


async def _voided(organization_id: UUID, batch_ids: Sequence[int]) -> int:
    """Counts the voided events that were stored in batches."""
    rows = await get_connection("default").execute_query_dict(
        """
        SELECT count(*) AS events FROM event
        WHERE organization_id = $1 AND batch_id = ANY($2::bigint[])
        """,
        [organization_id, [-batch_id for batch_id in batch_ids]],
    )
    found: int = rows[0]["events"]
    return found


async def _page(
    organization_id: UUID, batch_ids: Sequence[int], after: UUID | None
) -> list[dict[str, Any]]:
    """Reads the events of batches that fit into a page, or a page of one batch."""
    return await get_connection("default").execute_query_dict(
        f"""
        SELECT e.id, e.name, e.external_id, e.customer_id, e.timestamp,
               {SHOWN_METADATA} AS metadata, b.position, b.received_at,
               c.external_id AS customer_external_id
        FROM event_batch AS b
        JOIN event AS e ON e.organization_id = $1 AND e.batch_id = b.id
        LEFT JOIN customer AS c ON c.organization_id = $1 AND c.id = e.customer_id
        WHERE b.organization_id = $1 AND b.id = ANY($2::bigint[])
          AND ($3::uuid IS NULL OR e.id > $3::uuid)
        ORDER BY b.position, e.id
        LIMIT $4
        """,
        [organization_id, list(batch_ids), after, PIECE],
    )

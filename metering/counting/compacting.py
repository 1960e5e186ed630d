"""Removes stale entries of `usage_change`: those whose customer meter has changed again since."""

from uuid import UUID

from tortoise.connection import get_connection
from tortoise.transactions import in_transaction

from metering.counting.log import lock_log
from metering.counting.noted_changes import note_sql

SPARE_CHANGES = 100_000
"""So many entries may be stale, besides as many as there are customer meters."""

_CURRENT = """(
    SELECT id, revision FROM customer_meter WHERE organization_id = $1 AND revision <= $2
) AS unchanged"""


async def logs_to_compact() -> list[UUID]:
    """Returns the organizations most of whose noted changes are stale."""
    rows = await get_connection("default").execute_query_dict(
        "SELECT organization_id FROM event_log WHERE changes > 2 * current_changes + $1",
        [SPARE_CHANGES],
    )
    return [row["organization_id"] for row in rows]


async def compact(organization_id: UUID) -> bool:
    """Removes the stale changes of an organization, unless another worker is doing it.

    Changes that are noted meanwhile have higher revisions. The log's lock is taken only to tally.
    """
    async with in_transaction() as connection:
        [claim] = await connection.execute_query_dict(
            "SELECT pg_try_advisory_xact_lock(hashtextextended($1::text, 0)) AS is_mine",
            [f"usage_change:{organization_id}"],
        )
        if not claim["is_mine"]:
            return False
        [log] = await connection.execute_query_dict(
            "SELECT revision FROM event_log WHERE organization_id = $1", [organization_id]
        )
        values = [organization_id, log["revision"]]
        await connection.execute_query(
            "DELETE FROM usage_change WHERE organization_id = $1 AND revision <= $2", values
        )
        await connection.execute_query(note_sql(_CURRENT), values)
        await lock_log(connection, organization_id)
        await connection.execute_query(
            """
            UPDATE event_log SET changes = tally.changes, current_changes = tally.current_changes
            FROM (
                SELECT coalesce(sum(cardinality(ids)), 0) AS changes,
                       coalesce(sum(cardinality(ids)) FILTER (WHERE revision <= $2), 0)
                           AS current_changes
                FROM usage_change WHERE organization_id = $1
            ) AS tally
            WHERE event_log.organization_id = $1
            """,
            values,
        )
    return True

"""Noting events that came late: for a customer's time that is closed into billing periods."""

from collections.abc import Sequence
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient


async def note_late_events(
    connection: BaseDBAsyncClient, organization_id: UUID, batch_ids: Sequence[int]
) -> None:
    """Notes, by customer, the earliest of the batches' events that lies in closed time.

    To be called once the batches have positions, under the log's lock. Billing rates those
    periods anew and takes the note away.
    """
    await connection.execute_query_dict(
        """
        UPDATE billing_frontier AS frontier
        SET late_from = least(frontier.late_from, late.earliest)
        FROM (
            SELECT e.customer_id, min(e.timestamp) AS earliest
            FROM event e
            JOIN billing_frontier closed
                ON closed.organization_id = $1 AND closed.customer_id = e.customer_id
            WHERE e.organization_id = $1 AND e.batch_id = ANY($2::bigint[])
              AND e.timestamp < closed.closed_through
            GROUP BY e.customer_id
        ) AS late
        WHERE frontier.organization_id = $1 AND frontier.customer_id = late.customer_id
        RETURNING 1
        """,
        [organization_id, list(batch_ids)],
    )

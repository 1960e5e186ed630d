"""Notes late changes for billing: events and edits that concern closed billing periods."""

from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from metering.batches import Batches, of_batches


async def note_late_events(
    connection: BaseDBAsyncClient, organization_id: UUID, batches: Batches
) -> None:
    """Notes each customer's earliest event in the batches that lies in closed time.

    The batches have positions, and the caller holds the log's lock. Billing rates those periods
    again and removes the note.
    """
    await connection.execute_query(
        f"""
        WITH arrived AS MATERIALIZED (
            SELECT customer_id, min(timestamp) AS earliest
            FROM event
            WHERE organization_id = $1 AND {of_batches("$2", "$3")}
            GROUP BY customer_id
        )
        UPDATE billing_frontier AS frontier
        SET late_from = least(frontier.late_from, arrived.earliest)
        FROM arrived
        WHERE frontier.organization_id = $1 AND frontier.customer_id = arrived.customer_id
          AND arrived.earliest < frontier.closed_through
        """,
        [organization_id, batches.ids, batches.months],
    )


async def note_recounting(
    connection: BaseDBAsyncClient, organization_id: UUID, meter_id: UUID
) -> bool:
    """Notes that the meter starts over and may match events in closed time.

    The caller holds the log's lock. Billing rates the closed periods again as the meter counts.
    Returns whether there are any.
    """
    periods, _rows = await connection.execute_query(
        """
        UPDATE metered_period SET is_behind = true, position = 0
        WHERE organization_id = $1 AND meter_id = $2 AND closed_at IS NOT NULL
        """,
        [organization_id, meter_id],
    )
    return periods > 0

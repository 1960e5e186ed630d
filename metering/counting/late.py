"""Notes what came or was voided late: for billing, and for erasing, of erased customers."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from metering.batches import Batches, events_of_batches


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
            FROM {events_of_batches("$2", "$3")} AS e
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


async def note_late(
    connection: BaseDBAsyncClient, organization_id: UUID, events: Sequence[tuple[UUID, datetime]]
) -> None:
    """Notes customers' events, each with its instant, that are voided in closed time.

    The caller holds the log's lock. Billing rates the periods again, as if the events were late.
    """
    await connection.execute_query(
        """
        UPDATE billing_frontier AS frontier
        SET late_from = least(frontier.late_from, voided.earliest)
        FROM (
            SELECT customer_id, min(timestamp) AS earliest
            FROM unnest($2::uuid[], $3::timestamptz[]) AS event (customer_id, timestamp)
            GROUP BY customer_id
        ) AS voided
        WHERE frontier.organization_id = $1 AND frontier.customer_id = voided.customer_id
          AND voided.earliest < frontier.closed_through
        """,
        [
            organization_id,
            [customer_id for customer_id, _timestamp in events],
            [timestamp for _customer_id, timestamp in events],
        ],
    )


async def note_events_of_erased(
    connection: BaseDBAsyncClient, organization_id: UUID, batches: Batches
) -> None:
    """Notes events that were on their way while their customer was erased.

    The batches have positions, and the caller holds the log's lock. A worker erases the metadata.
    """
    await connection.execute_query(
        f"""
        WITH arrived AS MATERIALIZED (
            SELECT customer_id, min(timestamp) AS earliest
            FROM {events_of_batches("$2", "$3")} AS e
            GROUP BY customer_id
        )
        UPDATE customer_erasure AS erasure
        SET next_from = least(erasure.next_from, arrived.earliest), finished_at = NULL
        FROM arrived
        WHERE erasure.organization_id = $1 AND erasure.customer_id = arrived.customer_id
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
        WHERE organization_id = $1 AND meter_id = $2
          AND (closed_at IS NOT NULL OR turned_at IS NOT NULL)
        """,
        [organization_id, meter_id],
    )
    return periods > 0

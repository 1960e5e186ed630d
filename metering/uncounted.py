"""Events that a meter could not count: noting them, and leaving them out."""

from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from metering.definition import MeterDefinition


async def note_uncounted(
    connection: BaseDBAsyncClient, meter: MeterDefinition, event_id: UUID, reason: str
) -> None:
    """Notes that the meter goes on without the event; `reason` is what the database said of it."""
    await connection.execute_query_dict(
        """
        INSERT INTO uncounted_event (organization_id, meter_id, event_id, reason, recorded_at)
        VALUES ($1, $2, $3, $4, now())
        RETURNING 1
        """,
        [meter.organization_id, meter.id, event_id, reason],
    )


def counted_sql(event: str = "e") -> str:
    """A predicate that leaves the meter's uncounted events out of a query of raw events.

    The organization is bound to $1 and the meter to $2; `event` is the alias of the events. A
    scalar subquery, because the planner would make a join of NOT EXISTS, and such a query relies
    on an index of the events.
    """
    return f"""(
        SELECT uncounted.event_id FROM uncounted_event uncounted
        WHERE uncounted.organization_id = $1 AND uncounted.meter_id = $2
          AND uncounted.event_id = {event}.id
    ) IS NULL"""

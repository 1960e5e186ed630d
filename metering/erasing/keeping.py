"""Works out what meters count of events, before the metadata of these events is erased."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from metering.language.definition import MeterDefinition
from metering.language.erased import definition_key, kept_sql, reads_metadata
from metering.language.parameters import Parameters
from models import exact_json

# The most meters and parameters of one statement. The filter of one meter has up to 13,000.
_METERS = 50
_PARAMETERS = 15_000


async def kept_of_events(
    connection: BaseDBAsyncClient,
    organization_id: UUID,
    customer_id: UUID,
    events: Sequence[Mapping[str, Any]],
    meters: Sequence[MeterDefinition],
    table: str = "event",
) -> list[str]:
    """Returns what to write in place of the metadata of each event, as JSON text.

    Args:
        connection: the transaction that erases them.
        organization_id: whose events.
        customer_id: the customer of the events, whose index finds them.
        events: rows with their `id` and `timestamp`, at least one.
        meters: all meters of the organization.
        table: where they are, `event` or `kept_event`.
    """
    reading = [meter for meter in meters if reads_metadata(meter)]
    found: dict[UUID, dict[str, Any]] = {event["id"]: {} for event in events}
    start = 0
    while start < len(reading):
        parameters = Parameters(
            organization_id,
            customer_id,
            list(found),
            min(event["timestamp"] for event in events),
            max(event["timestamp"] for event in events),
        )
        kept: list[str] = []
        while start < len(reading) and len(kept) < _METERS and len(parameters.values) < _PARAMETERS:
            kept.append(kept_sql(reading[start], parameters))
            start += 1
        rows = await connection.execute_query_dict(
            f"""
            SELECT e.id, ({" || ".join(kept)})::text AS kept FROM {table} e
            WHERE e.organization_id = $1 AND e.customer_id = $2 AND e.id = ANY($3::uuid[])
              AND e.timestamp >= $4 AND e.timestamp <= $5
            """,
            parameters.values,
        )
        for row in rows:
            found[row["id"]] |= exact_json.loads(row["kept"])
    return [exact_json.dumps([found[event["id"]]]) for event in events]


async def tally(
    connection: BaseDBAsyncClient,
    organization_id: UUID,
    events: int,
    meters: Sequence[MeterDefinition],
) -> None:
    """Adds erased events to the counts of all, and of the definitions that were there meanwhile."""
    present = {definition_key(meter) for meter in meters if reads_metadata(meter)}
    await connection.execute_query(
        """
        INSERT INTO erased_count AS known (organization_id, definition, events)
        SELECT $1, definition, $3 FROM unnest($2::text[]) AS definition
        ON CONFLICT (organization_id, definition) DO UPDATE
            SET events = known.events + excluded.events
        """,
        [organization_id, ["", *sorted(present)], events],
    )

"""Erases the metadata of a customer's events, in spans of whole hours.

A span is one transaction under the log's lock, so that every number is right before and after it.
An event is erased once it is counted: an event that is on its way is noted when that happens
(`note_events_of_erased`), and the erasure goes on from there.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection
from tortoise.transactions import in_transaction

from metering.audit.recompute import end_of_span
from metering.counting.catch_up import hold_catch_up
from metering.counting.dimensions import hour_sql
from metering.counting.log import lock_log
from metering.erasing.customers import erase_webhooks
from metering.erasing.dimensions import erase_values, forget_values
from metering.erasing.keeping import kept_of_events, tally
from metering.language.definition import METER_COLUMNS, MeterDefinition, meter_definition
from metering.language.voided import BATCH_ID
from models import ALL_CUSTOMERS

SPAN_EVENTS = 2_000
"""A span has about this many events of the customer; it never splits an hour."""

# So many of all customers, if a meter has dimensions: their hours are counted again.
_SPAN_EVENTS_OF_ALL = 5_000
# An event without metadata has nothing to erase.
_HAS_METADATA = "e.metadata <> '{}' AND jsonb_typeof(e.metadata) = 'object'"
_IS_COUNTED = f"""(
    SELECT batch.position FROM event_batch batch
    WHERE batch.organization_id = $1 AND batch.id = {BATCH_ID}
) IS NOT NULL"""

_FORGET_KEYS = f"""
UPDATE event_name_seen AS known SET key_samples = (
    SELECT coalesce(jsonb_agg(ARRAY(SELECT jsonb_object_keys(
        CASE WHEN {_HAS_METADATA} THEN e.metadata ELSE '{{}}' END
    ))) FILTER (WHERE {_HAS_METADATA}), '[]')
    FROM (
        SELECT metadata FROM event
        WHERE organization_id = $1 AND name = known.name
        ORDER BY timestamp DESC, id DESC LIMIT 20
    ) AS e
)
WHERE known.organization_id = $1 AND known.name = ANY($2::text[])
"""


class Step(Enum):
    """The outcome of a step of an erasure."""

    MORE = "erased a span, and there is more"
    NOTHING = "nothing to do now: another worker is at it, or events are still to be counted"
    LAST = "finished"


async def unfinished() -> list[tuple[UUID, UUID]]:
    """Returns the customers who are being erased, with their organizations."""
    rows = await get_connection("default").execute_query_dict(
        """
        SELECT organization_id, customer_id FROM customer_erasure
        WHERE next_from IS NOT NULL ORDER BY erased_at
        """
    )
    return [(row["organization_id"], row["customer_id"]) for row in rows]


async def erase_span(organization_id: UUID, customer_id: UUID) -> Step:
    """Erases the next events of a customer who is being erased."""
    async with in_transaction() as connection:
        if not await _claim(connection, customer_id):
            return Step.NOTHING
        # A chunk of history holds rows of usage by dimension while it waits for the log's lock.
        held = {
            meter.id for meter in await _meters(connection, organization_id) if meter.dimensions
        }
        for meter_id in sorted(held):
            await hold_catch_up(connection, meter_id)
        await lock_log(connection, organization_id)
        meters = await _meters(connection, organization_id)
        by_dimension = [meter for meter in meters if meter.dimensions]
        if any(meter.id not in held for meter in by_dimension):
            return Step.MORE  # in a new transaction
        erasure = await _erasure(connection, organization_id, customer_id)
        if erasure is None:
            return Step.NOTHING
        start = await _next_hour(connection, organization_id, customer_id, erasure["next_from"])
        if start is None:
            await _erase_kept(connection, organization_id, customer_id, meters)
            return await _finish(connection, organization_id, customer_id, by_dimension)
        limits = (
            (ALL_CUSTOMERS, _SPAN_EVENTS_OF_ALL) if by_dimension else (customer_id, SPAN_EVENTS)
        )
        end = await end_of_span(organization_id, limits[0], start, events=limits[1])
        events = await _events_of(connection, organization_id, customer_id, start, end)
        texts = await kept_of_events(connection, organization_id, customer_id, events, meters)
        await _replace_metadata(connection, organization_id, customer_id, events, texts)
        for meter in by_dimension:
            await erase_values(connection, meter, customer_id, events)
        await tally(connection, organization_id, len(events), meters)
        await connection.execute_query(
            _FORGET_KEYS, [organization_id, sorted({event["name"] for event in events})]
        )
        await connection.execute_query(
            """
            UPDATE customer_erasure SET next_from = $3, erased_events = erased_events + $4
            WHERE organization_id = $1 AND customer_id = $2
            """,
            [organization_id, customer_id, end or events[-1]["timestamp"], len(events)],
        )
        return Step.MORE


async def _claim(connection: BaseDBAsyncClient, customer_id: UUID) -> bool:
    """Tries to become the only transaction that erases this customer's events."""
    rows = await connection.execute_query_dict(
        "SELECT pg_try_advisory_xact_lock(hashtextextended($1::text, 0)) AS claimed",
        [f"erase:{customer_id}"],
    )
    claimed: bool = rows[0]["claimed"]
    return claimed


async def _meters(connection: BaseDBAsyncClient, organization_id: UUID) -> list[MeterDefinition]:
    rows = await connection.execute_query_dict(
        f"SELECT {METER_COLUMNS} FROM meter WHERE organization_id = $1 ORDER BY id",
        [organization_id],
    )
    return [meter_definition(row) for row in rows]


async def _erasure(
    connection: BaseDBAsyncClient, organization_id: UUID, customer_id: UUID
) -> dict[str, Any] | None:
    rows = await connection.execute_query_dict(
        """
        SELECT next_from FROM customer_erasure
        WHERE organization_id = $1 AND customer_id = $2 AND next_from IS NOT NULL
        """,
        [organization_id, customer_id],
    )
    return rows[0] if rows else None


async def _next_hour(
    connection: BaseDBAsyncClient, organization_id: UUID, customer_id: UUID, start: datetime
) -> datetime | None:
    """Returns the hour of the first event from `start` on that has metadata and is counted."""
    rows = await connection.execute_query_dict(
        f"""
        SELECT {hour_sql("e.timestamp")} AS hour FROM event e
        WHERE e.organization_id = $1 AND e.customer_id = $2 AND e.timestamp >= $3
          AND {_HAS_METADATA} AND {_IS_COUNTED}
        ORDER BY e.timestamp LIMIT 1
        """,
        [organization_id, customer_id, start],
    )
    return rows[0]["hour"] if rows else None


async def _events_of(
    connection: BaseDBAsyncClient,
    organization_id: UUID,
    customer_id: UUID,
    start: datetime,
    end: datetime | None,
) -> list[dict[str, Any]]:
    return await connection.execute_query_dict(
        f"""
        SELECT e.id, e.timestamp, e.name FROM event e
        WHERE e.organization_id = $1 AND e.customer_id = $2 AND e.timestamp >= $3
          AND e.timestamp < coalesce($4::timestamptz, 'infinity')
          AND {_HAS_METADATA} AND {_IS_COUNTED}
        ORDER BY e.timestamp
        """,
        [organization_id, customer_id, start, end],
    )


async def _replace_metadata(
    connection: BaseDBAsyncClient,
    organization_id: UUID,
    customer_id: UUID,
    events: Sequence[dict[str, Any]],
    texts: Sequence[str],
    table: str = "event",
) -> None:
    await connection.execute_query(
        f"""
        UPDATE {table} AS event SET metadata = kept.metadata::jsonb
        FROM unnest($2::uuid[], $3::timestamptz[], $4::text[]) AS kept (id, timestamp, metadata)
        WHERE event.organization_id = $1 AND event.customer_id = $7
          AND event.id = kept.id AND event.timestamp = kept.timestamp
          AND event.timestamp >= $5 AND event.timestamp <= $6
        """,
        [
            organization_id,
            [event["id"] for event in events],
            [event["timestamp"] for event in events],
            list(texts),
            events[0]["timestamp"],
            events[-1]["timestamp"],
            customer_id,
        ],
    )


async def _erase_kept(
    connection: BaseDBAsyncClient,
    organization_id: UUID,
    customer_id: UUID,
    meters: Sequence[MeterDefinition],
) -> None:
    """Erases the metadata of events that are kept although their month is archived."""
    events = await connection.execute_query_dict(
        f"""
        SELECT e.id, e.timestamp, e.name FROM kept_event e
        WHERE e.organization_id = $1 AND e.customer_id = $2 AND {_HAS_METADATA}
        ORDER BY e.timestamp
        """,
        [organization_id, customer_id],
    )
    if events:
        texts = await kept_of_events(
            connection, organization_id, customer_id, events, meters, "kept_event"
        )
        await _replace_metadata(
            connection, organization_id, customer_id, events, texts, "kept_event"
        )


async def _finish(
    connection: BaseDBAsyncClient,
    organization_id: UUID,
    customer_id: UUID,
    by_dimension: Sequence[MeterDefinition],
) -> Step:
    """Ends the erasure, unless events are left that were sent before it and are not counted."""
    waiting = await connection.execute_query_dict(
        """
        SELECT FROM event_batch AS batch
        JOIN customer_erasure AS erasure
            ON erasure.organization_id = $1 AND erasure.customer_id = $2
        WHERE batch.organization_id = $1 AND batch.position IS NULL
          AND batch.received_at <= erasure.erased_at
        LIMIT 1
        """,
        [organization_id, customer_id],
    )
    if waiting:
        return Step.NOTHING
    for meter in by_dimension:
        await forget_values(connection, meter, customer_id)
    # A webhook may have been rendered while the names were erased.
    await erase_webhooks(connection, organization_id, customer_id)
    await connection.execute_query(
        """
        UPDATE customer_erasure SET next_from = NULL, finished_at = statement_timestamp()
        WHERE organization_id = $1 AND customer_id = $2
        """,
        [organization_id, customer_id],
    )
    return Step.LAST

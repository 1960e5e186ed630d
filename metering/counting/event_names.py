"""The names of events. The log maintains them, so that listing them reads no events."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection

from metering.batches import Batches, events_of_batches
from metering.language.voided import IS_VOIDED

MAXIMUM_NAMES = 1_000
# Samples kept per name: from one step of the log, and in total.
_SAMPLES_OF_STEP = 3
_SAMPLES = 20

# `stored` is materialized because the planner might otherwise scan all events of the organization
# by name. array_agg takes events in stored order, so its last ones are nearly the newest; sorting
# would cost more than all the rest.
_NOTE = f"""
WITH stored AS MATERIALIZED (
    SELECT id, name, timestamp FROM {events_of_batches("$2", "$4")} AS e
), arrived AS MATERIALIZED (
    SELECT name, count(*) AS occurrences, min(timestamp) AS first_seen_at,
           max(timestamp) AS last_seen_at,
           (array_agg(id))[greatest(count(*) - $3 + 1, 1):] AS newest,
           (array_agg(timestamp))[greatest(count(*) - $3 + 1, 1):] AS newest_at
    FROM stored
    GROUP BY name
)
INSERT INTO event_name_seen AS known (
    organization_id, name, occurrences, first_seen_at, last_seen_at, key_samples
)
SELECT $1, name, occurrences, first_seen_at, last_seen_at, (
    SELECT jsonb_agg(ARRAY(SELECT jsonb_object_keys(
        (SELECT metadata FROM event
         WHERE organization_id = $1 AND id = newest.id AND timestamp = newest.at)
    )))
    FROM unnest(arrived.newest, arrived.newest_at) AS newest (id, at)
)
FROM arrived
ON CONFLICT (organization_id, name) DO UPDATE SET
    occurrences = known.occurrences + excluded.occurrences,
    first_seen_at = least(known.first_seen_at, excluded.first_seen_at),
    last_seen_at = greatest(known.last_seen_at, excluded.last_seen_at),
    key_samples = jsonb_path_query_array(
        excluded.key_samples || known.key_samples, '$[0 to {_SAMPLES - 1}]'
    )
"""


# Events that are not counted yet are noted when they are.
_LEFT = f"""(
    SELECT e.timestamp FROM event e
    WHERE e.organization_id = $1 AND e.name = known.name AND NOT {IS_VOIDED}
      AND (
          SELECT batch.position FROM event_batch batch
          WHERE batch.organization_id = $1 AND batch.id = e.batch_id
      ) IS NOT NULL
    ORDER BY e.timestamp {{order}} LIMIT 1
)"""
_TAKE = f"""
UPDATE event_name_seen AS known
SET occurrences = known.occurrences - voided.occurrences,
    first_seen_at = CASE WHEN known.first_seen_at < voided.first_at THEN known.first_seen_at
                         ELSE coalesce({_LEFT.format(order="")}, known.first_seen_at) END,
    last_seen_at = CASE WHEN known.last_seen_at > voided.last_at THEN known.last_seen_at
                        ELSE coalesce({_LEFT.format(order="DESC")}, known.last_seen_at) END
FROM (
    SELECT name, count(*) AS occurrences, min(timestamp) AS first_at, max(timestamp) AS last_at
    FROM unnest($2::text[], $3::timestamptz[]) AS event (name, timestamp)
    GROUP BY name
) AS voided
WHERE known.organization_id = $1 AND known.name = voided.name
"""


@dataclass(frozen=True, slots=True)
class EventNameUse:
    """How often and when events of a name happened.

    `metadata_keys` are those of a few recent events, most frequent first.
    """

    name: str
    occurrences: int
    first_seen_at: datetime
    last_seen_at: datetime
    metadata_keys: tuple[str, ...]


async def note_event_names(
    connection: BaseDBAsyncClient, organization_id: UUID, batches: Batches
) -> None:
    """Adds the events of the batches to the names.

    Call it once per batch, in the transaction that gives it a position.
    """
    await connection.execute_query(
        _NOTE, [organization_id, batches.ids, _SAMPLES_OF_STEP, batches.months]
    )


async def take_from_names(
    connection: BaseDBAsyncClient,
    organization_id: UUID,
    events: Sequence[tuple[str, datetime]],
) -> None:
    """Takes events that were voided in this transaction out of the names; each was noted before.

    The first and the last instant are read again if one of them was voided.
    """
    await connection.execute_query(
        _TAKE,
        [
            organization_id,
            [name for name, _timestamp in events],
            [timestamp for _name, timestamp in events],
        ],
    )
    await connection.execute_query(
        "DELETE FROM event_name_seen"
        " WHERE organization_id = $1 AND name = ANY($2::text[]) AND occurrences <= 0",
        [organization_id, [name for name, _timestamp in events]],
    )


async def event_names(organization_id: UUID, text: str | None = None) -> list[EventNameUse]:
    """Returns the names that contain `text`, in any case; the most frequent come first."""
    rows = await get_connection("default").execute_query_dict(
        """
        SELECT found.name, found.occurrences, found.first_seen_at, found.last_seen_at,
               keys.metadata_keys
        FROM (
            SELECT * FROM event_name_seen
            WHERE organization_id = $1
              AND strpos(lower(name COLLATE any_case), lower($2 COLLATE any_case)) > 0
            ORDER BY occurrences DESC, name LIMIT $3
        ) AS found
        CROSS JOIN LATERAL (
            SELECT array_agg(key ORDER BY uses DESC, key) AS metadata_keys
            FROM (
                SELECT key, count(*) AS uses
                FROM jsonb_array_elements(found.key_samples) AS sample,
                     jsonb_array_elements_text(sample) AS key
                GROUP BY key
            ) AS counted
        ) AS keys
        ORDER BY found.occurrences DESC, found.name
        """,
        [organization_id, text or "", MAXIMUM_NAMES],
    )
    return [
        EventNameUse(**{**row, "metadata_keys": tuple(row["metadata_keys"] or ())}) for row in rows
    ]

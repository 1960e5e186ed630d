"""How far meters have counted, and up to which instant their numbers are complete."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pypika_tortoise.context import SqlContext
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection
from tortoise.expressions import RawSQL
from tortoise.queryset import QuerySet

from metering.language.definition import definition_of
from metering.language.erased import key_of_reading
from models import CustomerMeter, Meter

FIRST_AFTER_POSITION = """
    SELECT min(received_at) AS received_at
    FROM (
        SELECT received_at FROM event_batch
        WHERE organization_id = $1 AND position > meter.position
        -- Batches may commit out of order, but never this far apart.
        ORDER BY position LIMIT 1000
    ) AS next
"""
"""When the next batch of `meter`, which is behind, was received."""

# A transaction that stores events holds this lock; a dump or a vacuum does not.
_IN_FLIGHT = """
SELECT min(storing.xact_start) AS since, now() AS now
FROM pg_locks held
JOIN pg_stat_activity storing ON storing.pid = held.pid
WHERE held.locktype = 'relation' AND held.relation = 'event_batch'::regclass
  AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND held.mode = 'RowExclusiveLock' AND held.pid <> pg_backend_pid()
"""

_PROGRESS = f"""
SELECT meter.id, meter.counted_events, meter.skipped_events,
       coalesce(log.events - coalesce(at.events_through, 0), 0) + pending.events AS pending_events,
       coalesce(log.events - coalesce(by_dimension.events_through, 0), 0) + pending.events
           AS dimensions_pending_events,
       least($3::timestamptz, pending.received_at, after.received_at) AS complete_through,
       meter.problem,
       CASE WHEN asked.definition IS NULL THEN 0 ELSE
           coalesce(erased.events, 0) - coalesce(known.events, 0)
       END AS erased_events
FROM unnest($2::uuid[], $4::text[]) AS asked (id, definition)
JOIN meter ON meter.organization_id = $1 AND meter.id = asked.id
LEFT JOIN erased_count erased ON erased.organization_id = $1 AND erased.definition = ''
LEFT JOIN erased_count known
    ON known.organization_id = $1 AND known.definition = asked.definition
LEFT JOIN event_log log ON log.organization_id = $1
LEFT JOIN event_batch at
    ON at.organization_id = $1 AND at.position = coalesce(meter.position, log.head)
LEFT JOIN event_batch by_dimension
    ON by_dimension.organization_id = $1
   AND by_dimension.position = coalesce(
       CASE WHEN meter.dimensions <> '{{}}' THEN meter.dimensions_position END,
       meter.position, log.head
   )
CROSS JOIN (
    SELECT coalesce(sum(event_count), 0)::bigint AS events, min(received_at) AS received_at
    FROM event_batch WHERE organization_id = $1 AND position IS NULL
) AS pending
LEFT JOIN LATERAL ({FIRST_AFTER_POSITION}) AS after ON true
"""


def counted_position_sql(organization: str) -> str:
    """SQL: up to which position the usage in a row of `customer_meter` is counted.

    It is of the row's snapshot. `organization` is a parameter, the organization of the row.
    """
    return f"""coalesce((
        SELECT coalesce(meter.position, log.head) FROM meter, event_log log
        WHERE meter.organization_id = {organization} AND meter.id = customer_meter.meter_id
          AND log.organization_id = {organization}
    ), 0)"""


class _CountedPosition(RawSQL):
    """The SQL with a parameter of its own, as the ORM numbers them."""

    def __init__(self, organization_id: UUID) -> None:
        super().__init__("")
        self._organization_id = organization_id

    def get_sql(self, ctx: SqlContext) -> str:
        if ctx.parameterizer is None:
            raise TypeError("the statement has no parameters")
        parameter = ctx.parameterizer.create_param(self._organization_id)
        self.sql = counted_position_sql(parameter.get_sql(ctx))
        return super().get_sql(ctx)


def with_position(rows: QuerySet[CustomerMeter], organization_id: UUID) -> QuerySet[CustomerMeter]:
    """Returns the same rows, which are the organization's, each with its `counted_position`."""
    return rows.annotate(counted_position=_CountedPosition(organization_id))


_COMPLETE_THROUGH = f"""
SELECT meter.position, least($3::timestamptz, pending.received_at, after.received_at) AS through
FROM unnest($2::bigint[]) AS meter (position)
CROSS JOIN (
    SELECT min(received_at) AS received_at
    FROM event_batch WHERE organization_id = $1 AND position IS NULL
) AS pending
LEFT JOIN LATERAL ({FIRST_AFTER_POSITION}) AS after ON true
"""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a meter has counted, as of one instant.

    `pending_events`: stored events that it has not looked at. `complete_through`: every event
    stored before this instant has been counted. `problem`: why counting fails, if it does.
    `dimensions_pending_events`: those that usage by dimension does not include yet.
    `erased_events`: those that it cannot count, as their metadata was erased before it was defined.
    """

    counted_events: int
    skipped_events: int
    pending_events: int
    complete_through: datetime
    problem: str | None
    dimensions_pending_events: int
    erased_events: int


async def oldest_in_flight() -> datetime:
    """Returns an instant; events stored before it are visible to the statements that follow.

    A batch that is being stored was received after its transaction began, and completeThrough must
    not pass that. Call this before reading the pending batches.
    """
    rows = await get_connection("default").execute_query_dict(_IN_FLIGHT)
    now: datetime = rows[0]["now"]
    return min(rows[0]["since"] or now, now)


async def storing_since(connection: BaseDBAsyncClient) -> datetime | None:
    """Returns when the oldest transaction that is storing events began; None if there is none.

    Call this before reading the pending batches.
    """
    rows = await connection.execute_query_dict(_IN_FLIGHT)
    since: datetime | None = rows[0]["since"]
    return since


async def progress(
    organization_id: UUID, meters: Sequence[Meter], in_flight: datetime | None = None
) -> list[Progress]:
    """Returns the progress of each meter, in order, by a fixed number of statements.

    The meters' ids and definitions are used. Their counts are read together with what is pending,
    because numbers of two instants contradict each other while events arrive.

    In a transaction with one snapshot, pass what `oldest_in_flight` returned before it.
    """
    if in_flight is None:
        in_flight = await oldest_in_flight()
    rows = await get_connection("default").execute_query_dict(
        _PROGRESS,
        [
            organization_id,
            [meter.id for meter in meters],
            in_flight,
            [key_of_reading(definition_of(meter)) for meter in meters],
        ],
    )
    found = {row["id"]: row for row in rows}
    return [
        Progress(
            counted_events=row["counted_events"],
            skipped_events=row["skipped_events"],
            pending_events=row["pending_events"],
            complete_through=row["complete_through"],
            problem=row["problem"],
            dimensions_pending_events=row["dimensions_pending_events"],
            erased_events=row["erased_events"],
        )
        for row in (found[meter.id] for meter in meters)
    ]


async def complete_through(organization_id: UUID, positions: Sequence[int]) -> list[datetime]:
    """Returns an instant for each position: usage counted up to it has all events stored earlier.

    Call it after reading the usage that is counted up to the positions.
    """
    in_flight = await oldest_in_flight()
    rows = await get_connection("default").execute_query_dict(
        _COMPLETE_THROUGH, [organization_id, sorted(set(positions)), in_flight]
    )
    found = {row["position"]: row["through"] for row in rows}
    return [found[position] for position in positions]

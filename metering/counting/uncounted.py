"""Events that a meter could not count: noting them, and leaving them out."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog
from tortoise.backends.base.client import BaseDBAsyncClient

from metering.language.definition import MeterDefinition

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Culprit:
    """An event that makes counting fail, and what the database said of it."""

    event_id: UUID
    reason: str


async def note_uncounted(
    connection: BaseDBAsyncClient, meter: MeterDefinition, culprits: Sequence[Culprit]
) -> None:
    """Notes that the meter goes on without these events, and logs each."""
    await connection.execute_query_dict(
        """
        INSERT INTO uncounted_event (organization_id, meter_id, event_id, reason, recorded_at)
        SELECT $1, $2, culprit.event_id, culprit.reason, now()
        FROM unnest($3::uuid[], $4::text[]) AS culprit (event_id, reason)
        RETURNING 1
        """,
        [
            meter.organization_id,
            meter.id,
            [culprit.event_id for culprit in culprits],
            [culprit.reason for culprit in culprits],
        ],
    )
    for culprit in culprits:
        _log.error(
            "event cannot be counted; going on without it",
            organization_id=str(meter.organization_id),
            meter_id=str(meter.id),
            event_id=str(culprit.event_id),
            reason=culprit.reason,
        )


def counted_sql(meter: str = "$2") -> str:
    """A predicate that leaves the meter's uncounted events out of a query of raw events `e`.

    `meter` is what the meter's id is bound to. The planner would make a join of NOT EXISTS, and
    such a query relies on an index of the events; and it would take a subquery that IS NULL for
    one of two hundred, where nearly every event is counted.
    """
    return f"""EXISTS (
        SELECT FROM uncounted_event uncounted
        WHERE uncounted.organization_id = e.organization_id AND uncounted.meter_id = {meter}
          AND uncounted.event_id = e.id AND uncounted.counted_from IS NULL
    ) IS NOT TRUE"""

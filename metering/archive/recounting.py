"""Refuses what would make periods need archived events: counting again, and an early start."""

from datetime import datetime

from tortoise.backends.base.client import BaseDBAsyncClient

from metering.archive.boundary import events_from
from metering.language.instants import format_instant
from metering.problems import RefusedError, problem
from models import Meter

# Another filter makes billing rate every closed period again; other dimensions only those that
# late events can reach.
_EARLY = """
SELECT FROM metered_period
WHERE organization_id = $1 AND meter_id = $2
  AND coalesce(starts_at, '-infinity') < $3::timestamptz
  AND ($4 OR ends_at IS NULL OR ends_at > $3::timestamptz)
LIMIT 1
"""


async def refuse_archived_periods(
    connection: BaseDBAsyncClient, meter: Meter, stored_from: datetime | None, field: str
) -> None:
    """Refuses a change of `field` that makes a meter count again, if events of periods are gone.

    Args:
        connection: a transaction that holds the log's lock.
        meter: the meter.
        stored_from: what `events_from` says.
        field: "dimensions", if only they start over, or another one.

    Raises:
        RefusedError: a period of the meter begins before that instant.
    """
    if stored_from is None:
        return
    rows = await connection.execute_query_dict(
        _EARLY, [meter.organization_id, meter.id, stored_from, field != "dimensions"]
    )
    if rows:
        message = (
            "The meter would have to count again from the start of a customer's period, but events"
            f" from before {format_instant(stored_from)} are archived. Create another meter."
        )
        raise RefusedError(problem("EVENTS_ARCHIVED", message, field))


async def refuse_archived_start(connection: BaseDBAsyncClient, start: datetime, field: str) -> None:
    """Refuses a period that would begin before the events that are stored.

    Raises:
        RefusedError: it would; `field` is at fault.
    """
    stored_from = await events_from(connection)
    if stored_from is not None and start < stored_from:
        message = (
            f"Events from before {format_instant(stored_from)} are archived, but the period would"
            " begin before that."
        )
        raise RefusedError(problem("EVENTS_ARCHIVED", message, field))

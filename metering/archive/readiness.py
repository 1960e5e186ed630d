"""What stands in the way of archiving a month: what is not counted, renewed or rated yet."""

from datetime import datetime
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

_OBSTACLES = """
SELECT (SELECT coalesce(sum(event_count), 0) FROM event_batch
        WHERE organization_id = $1 AND position IS NULL AND first_at < $2) AS pending,
       ARRAY(SELECT name FROM meter
             WHERE organization_id = $1 AND archived_at IS NULL AND problem IS NULL
               AND (position IS NOT NULL OR dimensions_position IS NOT NULL)
             ORDER BY name LIMIT 5) AS behind,
       ARRAY(SELECT name FROM meter
             WHERE organization_id = $1 AND archived_at IS NULL AND problem IS NOT NULL
             ORDER BY name LIMIT 5) AS failing,
       (SELECT count(*) FROM billing_frontier
        WHERE organization_id = $1 AND late_from < $2) AS late,
       (SELECT count(*) FROM customer_erasure
        WHERE organization_id = $1 AND next_from IS NOT NULL) AS erasing,
       (SELECT count(*) FROM metered_period
        WHERE organization_id = $1 AND closed_at IS NOT NULL AND is_behind
          AND coalesce(starts_at, '-infinity') < $2) AS unrated,
       (SELECT count(*) FROM metered_period
        WHERE organization_id = $1 AND closed_at IS NULL AND ends_at <= $2) AS unclosed,
       (SELECT count(*) FROM customer_subscription
        WHERE organization_id = $1 AND status <> 'CANCELED' AND usage_period_end <= $2) AS due
"""


async def obstacles(
    connection: BaseDBAsyncClient, organization_id: UUID, end: datetime
) -> list[str]:
    """Returns why an organization's events from before `end` cannot be archived, as sentences."""
    [found] = await connection.execute_query_dict(_OBSTACLES, [organization_id, end])
    reasons = [
        (found["pending"], "{:,} of its events are not counted yet; a worker has to run."),
        (found["late"], "Late events of {:,} customers are not rated yet; the cycle does that."),
        (found["erasing"], "{:,} customers are still being erased; a worker does that."),
        (found["unrated"], "{:,} closed periods are to be rated again; the cycle does that."),
        (
            max(found["unclosed"], found["due"]),
            "{:,} periods are over but not renewed; the cycle does that.",
        ),
    ]
    return [
        *(f"The meter {name} is still catching up." for name in found["behind"]),
        *(f"The meter {name} fails to count." for name in found["failing"]),
        *(text.format(number) for number, text in reasons if number),
    ]

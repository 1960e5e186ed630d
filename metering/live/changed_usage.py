"""Reads changed customer meters in the order of (revision, id), as they were noted."""

from uuid import UUID

from tortoise.connection import get_connection

from metering.counting.progress import counted_position_sql
from metering.live.change_feed import Cursor
from models import CustomerMeter

_ROWS_AT_ONCE = 50

# The rows of a revision may overlap, so they are read up to where a later row begins.
_LATER = """
SELECT revision, first_id FROM usage_change
WHERE organization_id = $1 AND revision >= $2 AND (revision > $2 OR last_id > $3)
ORDER BY revision, first_id OFFSET $4 LIMIT 1
"""

_CHANGED = f"""
SELECT customer_meter.*, {counted_position_sql("$1")} AS counted_position
FROM (
    SELECT DISTINCT noted.revision, changed.id
    FROM usage_change noted CROSS JOIN LATERAL unnest(noted.ids) AS changed (id)
    WHERE noted.organization_id = $1 AND noted.revision >= $2
      AND (noted.revision > $2 OR noted.last_id > $3)
      AND (noted.revision, noted.first_id) < ($4, $5)
      AND (noted.revision, changed.id) > ($2, $3) AND (noted.revision, changed.id) < ($4, $5)
    ORDER BY noted.revision, changed.id
) AS noted
-- It is of a later revision if it has changed again.
JOIN customer_meter ON customer_meter.organization_id = $1 AND customer_meter.id = noted.id
    AND customer_meter.revision = noted.revision
WHERE $6::uuid IS NULL OR customer_meter.meter_id = $6
ORDER BY noted.revision, noted.id LIMIT $7
"""

_END = (2**63 - 1, UUID(int=2**128 - 1))


async def changed_usage(
    organization_id: UUID, after: Cursor, limit: int, meter_id: UUID | None
) -> list[CustomerMeter]:
    """Reads the first customer meters after a cursor, up to a limit: of a meter, or all.

    One that changes meanwhile may be there twice, at both of its cursors.
    """
    connection = get_connection("default")
    found: list[CustomerMeter] = []
    while True:
        place = (after.number, after.id)
        later = await connection.execute_query_dict(
            _LATER, [organization_id, *place, _ROWS_AT_ONCE]
        )
        end = (later[0]["revision"], later[0]["first_id"]) if later else _END
        records = await connection.execute_query_dict(
            _CHANGED, [organization_id, *place, *end, meter_id, limit - len(found)]
        )
        for record in records:
            row = CustomerMeter._init_from_db(**record)  # noqa: SLF001  # as Tortoise does
            row.counted_position = record["counted_position"]
            found.append(row)
        if not later or len(found) == limit:
            return found
        after = Cursor(end[0], UUID(int=end[1].int - 1))

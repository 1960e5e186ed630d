"""Partitions events by month. Those that are stored, if any, become the partition `event_before`.

No event is copied. A constraint proves where the stored ones lie; it is checked while others are
being stored. Then the tables change places in a short transaction.
"""

from datetime import datetime
from typing import Any

from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise.transactions import in_transaction

_INDEXES = {
    "batch_id": "batch_id",
    "timestamp": "timestamp, id",
    "name": "name, timestamp, id",
    "customer": "customer_id, timestamp, id",
}

_IS_DONE = "SELECT relkind = 'p' AS done FROM pg_class WHERE oid = 'event'::regclass"
_PROVED = """
SELECT proved.month FROM pg_constraint, LATERAL (
    SELECT substring(pg_get_constraintdef(oid) FROM $$'([^']+)'$$)::timestamptz AS month
) AS proved
WHERE conrelid = 'event'::regclass AND conname = 'event_before_months' AND convalidated
  AND proved.month > now() + interval '1 week'
"""

_CREATE = f"""
ALTER TABLE event RENAME TO event_before;
ALTER TABLE event_before RENAME CONSTRAINT event_pkey TO event_before_pkey;
{"".join(f"ALTER INDEX event_{name} RENAME TO event_before_{name};" for name in _INDEXES)}
DROP TRIGGER note_event_keys ON event_before;
DROP FUNCTION note_event_keys();
DROP INDEX event_external_id;
CREATE TABLE event (LIKE event_before INCLUDING DEFAULTS INCLUDING COMMENTS)
    PARTITION BY RANGE (timestamp);
ALTER TABLE event ALTER COLUMN organization_id SET STATISTICS 0;
{
    "".join(
        f"CREATE INDEX event_{name} ON event (organization_id, {columns});"
        for name, columns in _INDEXES.items()
    )
}
"""

_ATTACH = """
ALTER TABLE event ATTACH PARTITION event_before FOR VALUES FROM (MINVALUE) TO ('{month}');
ALTER TABLE event_before DROP CONSTRAINT event_before_months
"""


async def partition(_apps: Any, editor: Any) -> None:
    """Makes `event` a partitioned table, with all that is stored in its first partition."""
    client = editor.client
    rows = await client.execute_query_dict(_IS_DONE)
    if rows[0]["done"]:
        return  # it was killed before that was recorded
    month = await _prove(client) if await _has_events(client) else None
    async with in_transaction(client.connection_name) as connection:
        await connection.execute_script("LOCK TABLE event IN ACCESS EXCLUSIVE MODE")
        if month is None and await _has_events(connection):
            month = await _prove(connection)  # the first ones, a moment ago
        await connection.execute_script(_CREATE)
        if month is None:
            await connection.execute_script("DROP TABLE event_before")
        else:
            await connection.execute_script(_ATTACH.format(month=month.isoformat()))


async def _has_events(client: Any) -> bool:
    rows = await client.execute_query_dict("SELECT EXISTS (SELECT FROM event) AS found")
    found: bool = rows[0]["found"]
    return found


async def _prove(client: Any) -> datetime:
    """Returns a month before which all events lie, also those that are stored meanwhile.

    It is at least four weeks ahead: after a kill, events can be stored until this is repeated.
    """
    rows = await client.execute_query_dict(_PROVED)
    if not rows:
        rows = await client.execute_query_dict(
            "SELECT date_trunc('month', now(), 'UTC') + interval '2 months' AS month"
        )
        month = rows[0]["month"].isoformat()
        for statement in (
            "DROP CONSTRAINT IF EXISTS event_before_months",
            "ADD CONSTRAINT event_before_months"
            f" CHECK (timestamp IS NOT NULL AND timestamp < '{month}') NOT VALID",
            "VALIDATE CONSTRAINT event_before_months",
        ):
            await client.execute_script(f"ALTER TABLE event {statement}")
    found: datetime = rows[0]["month"]
    return found


class Migration(migrations.Migration):
    dependencies = [("models", "0044_keys_of_stored_events")]

    initial = False
    atomic = False

    operations = [ops.RunPython(partition)]

"""Makes the keys of the events that are stored, while others are being stored.

Each chunk is a short transaction that blocks nothing. After a kill, it continues with the chunk
that was not committed.
"""

from typing import Any

from tortoise import migrations
from tortoise.migrations import operations as ops

_ROWS = 20_000

# Until 0045, for events that are stored meanwhile, by API processes of the previous version.
_NOTE = """
CREATE OR REPLACE FUNCTION note_event_keys() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO event_key (organization_id, key, event_id, timestamp)
    SELECT organization_id, external_id_key(external_id) AS key, id, timestamp
    FROM stored WHERE external_id IS NOT NULL
    ORDER BY organization_id, key
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$
"""
# Waits for what is being stored, so that the chunks see all that this does not. It is a transaction
# of its own: with a lock of another table, storing an event could deadlock.
_TRIGGER = """
CREATE OR REPLACE TRIGGER note_event_keys AFTER INSERT ON event REFERENCING NEW TABLE AS stored
FOR EACH STATEMENT EXECUTE FUNCTION note_event_keys()
"""

_TABLE = """
CREATE TABLE IF NOT EXISTS event_key_progress AS
SELECT '00000000-0000-0000-0000-000000000000'::uuid AS organization_id,
       '00000000-0000-0000-0000-000000000000'::uuid AS id
"""

_CHUNK = """
WITH chunk AS MATERIALIZED (
    SELECT event.organization_id, event.id, event.timestamp, event.external_id
    FROM event
    WHERE (event.organization_id, event.id) > (
        (SELECT organization_id FROM event_key_progress), (SELECT id FROM event_key_progress)
    )
    ORDER BY event.organization_id, event.id LIMIT $1
), made AS (
    INSERT INTO event_key (organization_id, key, event_id, timestamp)
    SELECT organization_id, external_id_key(external_id) AS key, id, timestamp
    FROM chunk WHERE external_id IS NOT NULL
    ORDER BY organization_id, key
    ON CONFLICT DO NOTHING
)
UPDATE event_key_progress SET organization_id = last.organization_id, id = last.id
FROM (SELECT organization_id, id FROM chunk ORDER BY organization_id DESC, id DESC LIMIT 1) AS last
RETURNING (SELECT count(*) FROM chunk) AS events
"""


async def make_keys(_apps: Any, editor: Any) -> None:
    """Makes the keys of all events, chunk by chunk.

    A chunk that is not full is the last: what is stored meanwhile has its keys from the trigger.
    """
    client = editor.client
    await client.execute_script(_TABLE)
    events = _ROWS
    while events == _ROWS:
        chunk = await client.execute_query_dict(_CHUNK, [_ROWS])
        events = chunk[0]["events"] if chunk else 0


class Migration(migrations.Migration):
    dependencies = [("models", "0043_event_keys")]

    initial = False
    atomic = False

    operations = [
        ops.RunSQL([_NOTE, _TRIGGER], reverse_sql=ops.RunSQL.noop),
        ops.RunPython(make_keys),
        ops.RunSQL("DROP TABLE IF EXISTS event_key_progress", reverse_sql=ops.RunSQL.noop),
    ]

"""The names that events have, with the metadata keys seen lately under each."""

from collections.abc import Sequence
from uuid import UUID

from resolvers.loaders.customers import is_text
from resolvers.loaders.rows import Record, fetch

_NAMES = """
    SELECT names.*, keys.metadata_keys
      FROM (
        SELECT name, count(*) AS occurrences,
               min(timestamp) AS first_seen_at, max(timestamp) AS last_seen_at
          FROM event
         WHERE organization_id = $1 AND strpos(lower(name), $2) > 0
         GROUP BY name
         ORDER BY occurrences DESC, name
         LIMIT 1000
      ) AS names
      CROSS JOIN LATERAL (
        SELECT coalesce(array_agg(key ORDER BY uses DESC, key), '{}') AS metadata_keys
          FROM (
            SELECT key, count(*) AS uses
              FROM (
                SELECT metadata FROM event
                 WHERE organization_id = $1 AND name = names.name
                 ORDER BY timestamp DESC LIMIT 100
              ) AS latest, jsonb_object_keys(latest.metadata) AS key
             GROUP BY key
          ) AS counted
      ) AS keys
"""


async def event_names(organization_id: UUID, text: str | None) -> Sequence[Record]:
    """Names with `text` in them: name, occurrences, first_seen_at, last_seen_at, metadata_keys."""
    if text and not is_text(text):
        return []
    return await fetch(_NAMES, organization_id, (text or "").lower())

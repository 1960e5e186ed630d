"""Which customer meters each revision changed, so that followers find changes in their order.

An index on `customer_meter.revision` would do, but every count would then have to write all indexes
of the row again. Instead, `usage_change` has the ids that a revision changed, in rows of up to
CHUNK. Each transaction that changes customer meters notes them, under the log's lock. An entry is
stale once its customer meter has a higher revision. Every customer meter has one that is not.
"""

CHUNK = 100
"""At most so many ids are in a row as it is noted. They fit into a page without compression."""

_CHUNKED = f"""
    SELECT revision, array_agg(id ORDER BY id) AS ids
    FROM (
        SELECT revision, id,
               (row_number() OVER (PARTITION BY revision ORDER BY id) - 1) / {CHUNK} AS chunk
        FROM {{changed}}
    ) AS numbered
    GROUP BY revision, chunk
"""


def note_sql(changed: str) -> str:
    """A statement that notes changes, without the tally of the log; see `noting_sql`."""
    return f"""
        INSERT INTO usage_change AS noted (organization_id, revision, first_id, last_id, ids)
        SELECT $1, revision, ids[1], ids[cardinality(ids)], ids
        FROM ({_CHUNKED.format(changed=changed)}) AS chunked
        ON CONFLICT (organization_id, revision, first_id) DO UPDATE SET
            last_id = greatest(noted.last_id, excluded.last_id), ids = noted.ids || excluded.ids
    """


def noting_sql(changed: str) -> str:
    """CTEs that note changes; `changed` is a table of customer meters: `id` and `revision`.

    $1 is the organization. The caller holds the log's lock.
    """
    return f"""
        noted_changes AS ({note_sql(changed)}),
        tallied_changes AS (
            UPDATE event_log SET changes = changes + (SELECT count(*) FROM {changed})
            WHERE organization_id = $1
        )
    """


def noted(statement: str) -> str:
    """A statement that changes customer meters, made to note that. It RETURNS id and revision."""
    return f"WITH changed AS ({statement}), {noting_sql('changed')} SELECT 1"


CHANGED_IN_REVISION = """
    ANY(ARRAY(
        SELECT unnest(ids) FROM usage_change WHERE organization_id = $1 AND revision = $2
    ))
"""
"""The ids of customer meters that revision $2 of organization $1 changed."""

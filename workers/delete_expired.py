"""Deletes what has expired: sessions, idempotency keys and webhooks after 30 days, kept ranges."""

import structlog
from tortoise.connection import get_connection

_log = structlog.get_logger(__name__)

# Rows are deleted in short transactions. A run ends after this many; the next one continues.
_ROWS = 1_000
_TIMES = 20

# By PostgreSQL's clock, which also dates the keys.
_SESSIONS = """
DELETE FROM {table} WHERE id IN (
    SELECT id FROM {table} WHERE expires_at <= now()
    ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED
)
"""
_KEYS = """
DELETE FROM idempotency_key WHERE (organization_id, key) IN (
    SELECT organization_id, key FROM idempotency_key WHERE created_at < now() - interval '30 days'
    ORDER BY created_at LIMIT $1 FOR UPDATE SKIP LOCKED
)
"""
# A range of whole days is asked for until the day is over, in any time zone.
_RANGES = """
DELETE FROM usage_range WHERE (organization_id, meter_id, range_start, range_end) IN (
    SELECT organization_id, meter_id, range_start, range_end FROM usage_range
    WHERE kept_at < now() - interval '2 days'
    LIMIT $1 FOR UPDATE SKIP LOCKED
)
"""
# Their deliveries go with them.
_HAPPENED = """
DELETE FROM outbox_event WHERE (organization_id, id) IN (
    SELECT organization_id, id FROM outbox_event WHERE created_at < now() - interval '30 days'
    ORDER BY created_at LIMIT $1 FOR UPDATE SKIP LOCKED
)
"""


async def delete_expired() -> None:
    """Deletes some of the expired rows. Several workers may run it at once."""
    sessions = await _delete(_SESSIONS.format(table="customer_session"))
    browsers = await _delete(_SESSIONS.format(table="browser_session"))
    keys = await _delete(_KEYS)
    ranges = await _delete(_RANGES)
    happened = await _delete(_HAPPENED)
    if sessions or browsers or keys or ranges or happened:
        _log.debug(
            "expired rows deleted",
            sessions=sessions,
            browser_sessions=browsers,
            idempotency_keys=keys,
            kept_ranges=ranges,
            outbox_events=happened,
        )


async def _delete(statement: str) -> int:
    """Returns how many rows were deleted."""
    connection = get_connection("default")
    total = 0
    for _ in range(_TIMES):
        deleted, _rows = await connection.execute_query(statement, [_ROWS])
        total += deleted
        if deleted < _ROWS:
            break
    return total

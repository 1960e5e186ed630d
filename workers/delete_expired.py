"""Deletes what has expired: sessions, keys, webhooks and simulations after 30 days, kept ranges.

External ids of events expire only if a setting says so.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from tortoise.connection import get_connection

from billing.simulations.expiry import delete_results, expired_simulations
from config.settings import get_settings

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


@dataclass(frozen=True, slots=True)
class _Expiring:
    """A table of organizations' rows: its key, and the column whose values before `end` expire."""

    table: str
    key: str
    column: str
    end: str


_KEYS = _Expiring("idempotency_key", "key", "created_at", "now() - interval '30 days'")
# A range of whole days is asked for until the day is over, in any time zone.
_RANGES = _Expiring(
    "usage_range",
    "meter_id, range_start, range_end",
    "kept_at",
    "now() - interval '2 days'",
)
# Their deliveries go with them.
_HAPPENED = _Expiring("outbox_event", "id", "created_at", "now() - interval '30 days'")


def _external_ids(days: int) -> _Expiring:
    """Keys of events that were stored so long ago; an event's id begins with that instant."""
    instant = f"extract(epoch FROM now() - interval '{days:d} days') * 1000"
    end = f"rpad(lpad(to_hex(({instant})::bigint), 12, '0'), 32, '0')::uuid"
    return _Expiring("event_key", "key", "event_id", end)


async def delete_expired() -> None:
    """Deletes some of the expired rows. Several workers may run it at once."""
    sessions = await _delete(_SESSIONS.format(table="customer_session"))
    browsers = await _delete(_SESSIONS.format(table="browser_session"))
    keys = await _delete_of_organizations(_KEYS)
    ranges = await _delete_of_organizations(_RANGES)
    happened = await _delete_of_organizations(_HAPPENED)
    days = get_settings().external_id_days
    external_ids = 0 if days is None else await _delete_of_organizations(_external_ids(days))
    simulated = await _delete_simulations()
    if sessions or browsers or keys or ranges or happened or external_ids or simulated:
        _log.debug(
            "expired rows deleted",
            sessions=sessions,
            browser_sessions=browsers,
            idempotency_keys=keys,
            kept_ranges=ranges,
            outbox_events=happened,
            external_ids=external_ids,
            simulated_customers=simulated,
        )


async def _delete_of_organizations(expiring: _Expiring) -> int:
    """Deletes organization by organization, because every statement names its organization."""
    deleted = 0
    for organization_id in await _organizations_with(expiring):
        deleted += await _delete(
            f"""
            WITH expired AS MATERIALIZED (
                SELECT {expiring.key} FROM {expiring.table}
                WHERE organization_id = $2
                  AND {expiring.column} < {expiring.end}
                ORDER BY {expiring.column} LIMIT $1 FOR UPDATE SKIP LOCKED
            )
            DELETE FROM {expiring.table}
            WHERE organization_id = $2 AND ({expiring.key}) IN (SELECT * FROM expired)
            RETURNING 1
            """,
            organization_id,
            most=_TIMES * _ROWS - deleted,
        )
    return deleted


async def _delete_simulations() -> int:
    deleted = 0
    for organization_id, simulation_id in await expired_simulations():
        for _ in range(_TIMES):
            found = await delete_results(organization_id, simulation_id, _ROWS)
            deleted += found
            if found < _ROWS:
                break
    return deleted


async def _organizations_with(expiring: _Expiring) -> list[UUID]:
    """Returns the organizations that have expired rows."""
    rows = await get_connection("default").execute_query_dict(
        f"""
        SELECT DISTINCT organization_id FROM {expiring.table}
        WHERE {expiring.column} < {expiring.end}
        """
    )
    return [row["organization_id"] for row in rows]


async def _delete(statement: str, *values: Any, most: int | None = None) -> int:
    """Runs a statement, whose first parameter limits its rows. Returns how many were deleted."""
    connection = get_connection("default")
    left = _TIMES * _ROWS if most is None else most
    total = 0
    while left > total:
        limit = min(_ROWS, left - total)
        deleted, _rows = await connection.execute_query(statement, [limit, *values])
        total += deleted
        if deleted < limit:
            break
    return total

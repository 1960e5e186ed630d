"""Timelines: recognizes cursors that a restore of the database has undone.

A restored log gives its positions and revisions once more, to other changes. Each cursor therefore
names the timeline in which it was made. A restore begins a new one, which records how far each log
had come. A cursor of an earlier timeline is good up to there, and one of a timeline that is not in
the database, because it began after the backup, never is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID, uuid4

import asyncpg
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection
from tortoise.exceptions import OperationalError
from tortoise.transactions import in_transaction

from metering.live.change_feed import CursorLostError
from metering.live.outbox import OutboxType, publish
from waiting.outages import postgres_error

Column = Literal["head", "revision"]
"""What a cursor counts: positions of the log, or revisions of customer meters."""

# Held while a timeline begins, so that two processes do not both begin one.
_LOCK = 0x74696D65
# Changes if the database is restored as another cluster or database, or from an archive.
_PLACE = """
SELECT concat_ws(
    ' ',
    (SELECT system_identifier FROM pg_control_system()),
    (SELECT oid FROM pg_database WHERE datname = current_database()),
    left(pg_walfile_name(pg_current_wal_insert_lsn()), 8)
) AS place
"""
_NOT_TOLD = (asyncpg.InsufficientPrivilegeError, asyncpg.FeatureNotSupportedError)


@dataclass(frozen=True, slots=True)
class _Timeline:
    id: UUID
    head: int
    revision: int


async def current_timeline() -> UUID:
    """Returns the id of the latest timeline."""
    rows = await get_connection("default").execute_query_dict(
        "SELECT id FROM log_timeline ORDER BY number DESC LIMIT 1"
    )
    found: UUID = rows[0]["id"]
    return found


async def check_number(
    organization_id: UUID, column: Column, number: int, timeline: UUID | None
) -> None:
    """Checks the number of a cursor that was made in a timeline; None: in the first one.

    Raises:
        CursorLostError: the log has not come so far, or was taken back since.
    """
    connection = get_connection("default")
    timelines = [
        _Timeline(row["id"], row["head"], row["revision"])
        for row in await connection.execute_query_dict(
            """
            SELECT timeline.id, coalesce(fork.head, 0) AS head,
                   coalesce(fork.revision, 0) AS revision
            FROM log_timeline AS timeline
            LEFT JOIN log_fork AS fork
                ON fork.organization_id = $1 AND fork.timeline = timeline.number
            ORDER BY timeline.number
            """,
            [organization_id],
        )
    ]
    logs = await connection.execute_query_dict(
        "SELECT head, revision FROM event_log WHERE organization_id = $1", [organization_id]
    )
    reached: int = logs[0][column] if logs else 0
    forks = [getattr(later, column) for later in _after(timelines, timeline)]
    if number > min([reached, *forks]):
        raise CursorLostError


async def check_events_follow(organization_id: UUID, position: int) -> None:
    """Checks that the events after a position are stored.

    Raises:
        CursorLostError: some of them may be archived.
    """
    rows = await get_connection("default").execute_query_dict(
        """
        SELECT FROM archived_events WHERE organization_id = $1 AND last_position >= $2 LIMIT 1
        """,
        [organization_id, position],
    )
    if rows:
        raise CursorLostError


def _after(timelines: Sequence[_Timeline], timeline: UUID | None) -> Sequence[_Timeline]:
    """Returns the timelines that began after one; raises CursorLostError if that is unknown."""
    ids = [each.id for each in timelines]
    if timeline is None:
        return timelines[1:]
    if timeline not in ids:
        raise CursorLostError
    return timelines[ids.index(timeline) + 1 :]


async def begin_timeline(connection: BaseDBAsyncClient, place: str | None) -> None:
    """Begins a timeline, in a transaction: the database was restored, and is now at `place`.

    Webhook endpoints are told.
    """
    await connection.execute_query("SELECT pg_advisory_xact_lock($1)", [_LOCK])
    await _begin(connection, place)


async def notice_restore() -> bool:
    """Begins a timeline if the database is at another place than that of the last timeline."""
    place = await place_of_database()
    async with in_transaction() as connection:
        await connection.execute_query("SELECT pg_advisory_xact_lock($1)", [_LOCK])
        (last,) = await connection.execute_query_dict(
            "SELECT number, place FROM log_timeline ORDER BY number DESC LIMIT 1"
        )
        is_elsewhere = None not in (place, last["place"]) and place != last["place"]
        if is_elsewhere:
            await _begin(connection, place)
        elif last["place"] is None:
            await connection.execute_query(
                "UPDATE log_timeline SET place = $2 WHERE number = $1", [last["number"], place]
            )
    return is_elsewhere


async def place_of_database() -> str | None:
    """Identifies the open database; None if PostgreSQL does not tell this role."""
    try:
        rows = await get_connection("default").execute_query_dict(_PLACE)
    except (asyncpg.PostgresError, OperationalError) as error:
        if not isinstance(postgres_error(error), _NOT_TOLD):
            raise
        return None
    place: str = rows[0]["place"]
    return place


async def _begin(connection: BaseDBAsyncClient, place: str | None) -> None:
    rows = await connection.execute_query_dict(
        """
        INSERT INTO log_timeline (number, id, place, began_at)
        SELECT max(number) + 1, $1, $2, statement_timestamp() FROM log_timeline
        RETURNING number
        """,
        [uuid4(), place],
    )
    number = rows[0]["number"]
    organizations = await connection.execute_query_dict("SELECT id FROM organization ORDER BY id")
    for organization_id in (row["id"] for row in organizations):
        await connection.execute_query(
            """
            INSERT INTO log_fork (organization_id, timeline, head, revision)
            SELECT $1, $2, head, revision FROM event_log WHERE organization_id = $1
            """,
            [organization_id, number],
        )
        await publish(
            connection, organization_id, OutboxType.ORGANIZATION_RESTORED, organization_id
        )

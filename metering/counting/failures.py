"""What happens when counting fails: that meter falls behind and is tried again after a pause.

Temporary failures (a lost connection, a deadlock, a full disk, a shutdown) are not stored; the
step is repeated.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.exceptions import IntegrityError, OperationalError

from metering.live.outbox import OutboxType, publish
from waiting.outages import postgres_error

COUNTING_ERRORS = (
    asyncpg.PostgresError,
    OperationalError,
    IntegrityError,
    ValueError,
    ArithmeticError,
)
"""What counting raises: PostgreSQL's errors, plain or wrapped, and asyncpg's decoding errors."""

# Classes of SQLSTATE: PostgreSQL's documentation, appendix A.
_LASTING = frozenset(
    {
        "0A",  # feature not supported
        "21",  # cardinality violation
        "22",  # data exception
        "23",  # integrity constraint violation
        "42",  # syntax error or access rule violation
        "54",  # program limit exceeded
        "P0",  # PL/pgSQL: a trigger's objection
        "XX",  # internal error
    }
)


def fails_again(error: BaseException) -> bool:
    """Whether the same statement would fail again if it were repeated at once."""
    found = postgres_error(error)
    if found is None:
        return isinstance(error, ValueError | ArithmeticError)
    return str(found.sqlstate)[:2] in _LASTING


def reason_of(error: BaseException) -> str:
    """Describes the error in at most 500 characters: its type, a colon, its message."""
    cause = postgres_error(error) or error
    return f"{type(cause).__name__}: {cause}"[:500]


async def note_problem(
    connection: BaseDBAsyncClient, organization_id: UUID, meter_id: UUID, error: BaseException
) -> None:
    """Stores why a meter that is behind cannot be counted, and when to try it again.

    Each pause is as long as the meter has been failing: from a second to five minutes.
    """
    rows = await connection.execute_query_dict(
        """
        UPDATE meter
        SET problem = $2, failing_since = coalesce(failing_since, now()),
            retry_at = now() + least(greatest(now() - failing_since, '1 second'), '5 minutes')
        WHERE organization_id = $3 AND id = $1 AND archived_at IS NULL
          AND (position IS NOT NULL OR dimensions_position IS NOT NULL)
        RETURNING failing_since = now() AS begins
        """,
        [meter_id, reason_of(error), organization_id],
    )
    for row in rows:
        if row["begins"]:
            await publish(connection, organization_id, OutboxType.METER_FAILING, meter_id)


@asynccontextmanager
async def savepoint(connection: BaseDBAsyncClient) -> AsyncIterator[None]:
    """Rolls back what is done inside if counting fails there.

    Tortoise keeps its own savepoints open, nested in each other. Hundreds of them would fill
    PostgreSQL's lock table.
    """
    await connection.execute_script("SAVEPOINT attempt")
    try:
        yield
    except COUNTING_ERRORS:
        await connection.execute_script("ROLLBACK TO SAVEPOINT attempt; RELEASE SAVEPOINT attempt")
        raise
    await connection.execute_script("RELEASE SAVEPOINT attempt")

"""Which failures of a statement come back when it is repeated, and which of those come from rows.

What passes (a lost connection, a deadlock, a full disk, a shutdown) is repeated as it was.
"""

import asyncpg
from tortoise.exceptions import IntegrityError, OperationalError

from waiting.outages import postgres_error

COUNTING_ERRORS = (
    asyncpg.PostgresError,
    OperationalError,
    IntegrityError,
    ValueError,
    ArithmeticError,
)
"""What counting raises: PostgreSQL's errors, as they are or wrapped, and asyncpg's decoding."""

# Classes of SQLSTATE: PostgreSQL's documentation, appendix A.
_OF_ROWS = frozenset(
    {
        "21",  # cardinality violation
        "22",  # data exception
        "23",  # integrity constraint violation
        "54",  # program limit exceeded
        "P0",  # PL/pgSQL: a trigger's objection
    }
)
_OF_STATEMENTS = _OF_ROWS | {
    "0A",  # feature not supported
    "42",  # syntax error or access rule violation
    "XX",  # internal error
}


def fails_again(error: BaseException) -> bool:
    """Whether repeating the statement that raised this, as it was, would only raise it again."""
    return _class_of(error, otherwise="22") in _OF_STATEMENTS


def comes_from_rows(error: BaseException) -> bool:
    """Whether some row made the statement fail, so that it may pass without that row."""
    return _class_of(error, otherwise="22") in _OF_ROWS


def reason_of(error: BaseException) -> str:
    """What went wrong, in at most 500 characters."""
    cause = postgres_error(error) or error
    return f"{type(cause).__name__}: {cause}"[:500]


def _class_of(error: BaseException, otherwise: str) -> str:
    """The error's class; that of what asyncpg could not decode is `otherwise`."""
    found = postgres_error(error)
    if found is not None:
        return str(found.sqlstate)[:2]
    return otherwise if isinstance(error, ValueError | ArithmeticError) else ""

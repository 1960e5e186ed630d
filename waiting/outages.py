"""What an outage of PostgreSQL is, and how the log tells of one: at its start and at its end.

An outage is a failure of the moment. PostgreSQL cannot do now what it could do before and will do
later: it is away, restarts, is a read-only standby, has no connection or no room on its disk left.
The API tells its clients that they may try again; workers and feeds try again themselves. This is
the only list of such failures.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import asyncpg
import structlog
from tortoise.exceptions import DBConnectionError

_log = structlog.get_logger(__name__)

_CLIENT_ERRORS = (
    OSError,  # TimeoutError and ConnectionError are some
    asyncpg.InterfaceError,  # the connection was closed, or the pool
    asyncpg.InternalClientError,
    DBConnectionError,
)
# SQLSTATE, as PostgreSQL's documentation lists it in appendix A.
_CLASSES = frozenset(
    {
        "08",  # connection exception
        "40",  # transaction rollback: a deadlock, or a conflict with another transaction
        "53",  # insufficient resources: connections, memory, disk
        "57",  # operator intervention: shutdown, crash, start
    }
)
_STATES = frozenset(
    {
        "25006",  # read-only transaction: this is a standby now
        "25P03",  # idle in a transaction for too long: this process hung
        "25P04",  # a transaction that took too long
        "55P03",  # a lock could not be had in time
        "58030",  # I/O error
    }
)
_CUT_OFF = "57014"  # by `statement_timeout`, or because somebody asked for it

_SECONDS_BETWEEN_REASONS = 60.0


class OutageError(Exception):
    """An outage that PostgreSQL or its client has no error for; the message says what happened."""


def is_outage(error: BaseException) -> bool:
    """Whether this failed because of the moment, so that the same may go well later.

    A statement that was cut off is not an outage: it may have asked for too much. Where it cannot
    have, `cut_off_is_outage` makes it one.
    """
    if isinstance(error, BaseExceptionGroup):
        return all(is_outage(inner) for inner in error.exceptions)
    if isinstance(error, OutageError):
        return True
    found = postgres_error(error)
    if found is not None:
        state = str(found.sqlstate)
        return state in _STATES or (state[:2] in _CLASSES and state != _CUT_OFF)
    return isinstance(error, _CLIENT_ERRORS) and not isinstance(error, ValueError)


def postgres_error(error: BaseException) -> asyncpg.PostgresError | None:
    """The error that PostgreSQL gave, as it is or wrapped by Tortoise; None where there is none."""
    for candidate in (error, error.__cause__):
        if isinstance(candidate, asyncpg.PostgresError):
            return candidate
    return None


@contextmanager
def cut_off_is_outage() -> Iterator[None]:
    """For work that is never too large: if PostgreSQL cuts it off, that is an outage.

    Raises:
        OutageError: a statement inside the block was cut off.
    """
    try:
        yield
    except asyncpg.QueryCanceledError as error:
        raise OutageError(f"PostgreSQL was too slow: {error}") from error


class Outage:
    """Whether a server can be used, as far as this process has seen.

    The log has a warning when an outage starts and a line when it is over, however much fails
    meanwhile. A long one gets another warning if its reason changes, once a minute at most.

    Args:
        server: its name, for the log.
        quiet_seconds: for how long nothing must fail before the outage is over. A server with a
            full disk still answers queries, so one success does not mean that it is back.
        now: a monotonic clock.
    """

    def __init__(
        self,
        server: str,
        *,
        quiet_seconds: float = 0.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._server = server
        self._quiet_seconds = quiet_seconds
        self._now = now
        self._reason: str | None = None
        self._since = self._said = self._failed = 0.0
        self._failures = 0

    def away(self, error: BaseException) -> None:
        """Something failed because of the server."""
        now = self._now()
        reason = str(error) or repr(error)
        if self._reason is None:
            self._since, self._failures = now, 0
        if self._reason is None or (
            reason != self._reason and now - self._said >= _SECONDS_BETWEEN_REASONS
        ):
            _log.warning(f"{self._server} cannot be used; trying again", reason=reason)
            self._reason, self._said = reason, now
        self._failed = now
        self._failures += 1

    def back(self) -> None:
        """Something succeeded."""
        if self._reason is None or self._now() - self._failed < self._quiet_seconds:
            return
        seconds = round(self._failed - self._since, 1)
        _log.info(f"{self._server} is back", seconds=seconds, failures=self._failures)
        self._reason = None

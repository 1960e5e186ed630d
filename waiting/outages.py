"""Defines what an outage of PostgreSQL is, and logs when one starts and ends.

An outage passes: PostgreSQL is down, restarts, is a read-only standby, or has no connection or disk
space left. The API tells clients that they may try again; workers and feeds try again themselves.
This is the only list of such failures.
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
    asyncpg.InterfaceError,  # the connection or the pool was closed
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
        "55P03",  # a lock was not available in time
        "58030",  # I/O error
    }
)
_CUT_OFF = "57014"  # by `statement_timeout`, or on request

_SECONDS_BETWEEN_REASONS = 60.0


class OutageError(Exception):
    """An outage for which PostgreSQL and its client have no error; the message describes it."""


def is_outage(error: BaseException) -> bool:
    """Whether an error is an outage, so that a later try may succeed.

    A statement that was cut off is not an outage, because it may have been too large. For work that
    is never too large, `cut_off_is_outage` makes it one.
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
    """Returns PostgreSQL's error, even if Tortoise wrapped it; None for any other error."""
    for candidate in (error, error.__cause__):
        if isinstance(candidate, asyncpg.PostgresError):
            return candidate
    return None


@contextmanager
def cut_off_is_outage() -> Iterator[None]:
    """Turns cut-off statements into outages, for work that is never too large.

    Raises:
        OutageError: a statement inside the block was cut off.
    """
    try:
        yield
    except asyncpg.QueryCanceledError as error:
        raise OutageError(f"PostgreSQL was too slow: {error}") from error


class Outage:
    """Tracks whether this process can use a server.

    It logs one warning when an outage starts and one line when it is over, however much fails in
    between. If the reason changes, it logs another warning, at most once a minute.

    Args:
        server: its name, for the log.
        quiet_seconds: how long nothing must fail before the outage is over. A server with a full
            disk still answers queries, so one success does not end an outage.
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
        """Records a failure of the server."""
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
        """Records a success."""
        if self._reason is None or self._now() - self._failed < self._quiet_seconds:
            return
        seconds = round(self._failed - self._since, 1)
        _log.info(f"{self._server} is back", seconds=seconds, failures=self._failures)
        self._reason = None

"""What counts as an outage, and how few lines the log has of one."""

import asyncpg
import pytest
from structlog.testing import capture_logs
from tortoise.exceptions import OperationalError, TransactionManagementError

from waiting.outages import Outage, OutageError, cut_off_is_outage, is_outage

READ_ONLY = asyncpg.ReadOnlySQLTransactionError("cannot execute INSERT in a read-only transaction")


def wrapped(error: Exception, cause: Exception) -> Exception:
    """As Tortoise raises PostgreSQL's errors."""
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(),
        TimeoutError(),
        asyncpg.CannotConnectNowError("starting up"),
        asyncpg.AdminShutdownError("terminated"),
        asyncpg.ConnectionDoesNotExistError("closed"),
        asyncpg.InterfaceError("pool is closing"),
        asyncpg.TooManyConnectionsError("too many"),
        asyncpg.DeadlockDetectedError("deadlock"),
        asyncpg.DiskFullError("no space left"),
        asyncpg.IdleInTransactionSessionTimeoutError("hung"),
        asyncpg.LockNotAvailableError("lock timeout"),
        READ_ONLY,
        wrapped(TransactionManagementError("25006"), READ_ONLY),
        ExceptionGroup("two", [TimeoutError(), READ_ONLY]),
        OutageError("no answer"),
    ],
    ids=repr,
)
def test_a_failure_that_passes_is_an_outage(error: Exception) -> None:
    assert is_outage(error)


@pytest.mark.parametrize(
    "error",
    [
        ZeroDivisionError(),
        ValueError(),
        asyncpg.QueryCanceledError("statement timeout"),
        asyncpg.UniqueViolationError("there already"),
        asyncpg.UndefinedColumnError("a bug"),
        wrapped(OperationalError("a bug"), asyncpg.UndefinedColumnError("a bug")),
        ExceptionGroup("two", [TimeoutError(), ZeroDivisionError()]),
    ],
    ids=repr,
)
def test_bugs_and_timeouts_of_statements_are_not_outages(error: Exception) -> None:
    assert not is_outage(error)


def test_a_timeout_of_a_small_statement_is_an_outage() -> None:
    with pytest.raises(OutageError) as raised, cut_off_is_outage():
        raise asyncpg.QueryCanceledError("statement timeout")
    assert is_outage(raised.value)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_the_log_has_one_line_at_the_start_and_one_at_the_end() -> None:
    clock = Clock()
    outage = Outage("PostgreSQL", now=clock)
    with capture_logs() as lines:
        outage.back()
        for number in range(500):
            clock.seconds += 0.1
            outage.away(ConnectionError(f"reason {number % 3}"))
        outage.back()
        outage.back()
    assert lines == [
        {
            "event": "PostgreSQL cannot be used; trying again",
            "log_level": "warning",
            "reason": "reason 0",
        },
        {
            "event": "PostgreSQL is back",
            "log_level": "info",
            "seconds": 49.9,
            "failures": 500,
        },
    ]


def test_a_new_reason_is_logged_once_a_minute_at_most() -> None:
    clock = Clock()
    outage = Outage("Redis", now=clock)
    with capture_logs() as lines:
        for _ in range(100):
            outage.away(ConnectionError("refused"))
            clock.seconds += 1
        for number in range(100):
            outage.away(ConnectionError(f"no password {number}"))
            clock.seconds += 1
    assert [line["reason"] for line in lines] == ["refused", "no password 0", "no password 60"]


def test_an_outage_is_over_once_nothing_has_failed_for_a_while() -> None:
    clock = Clock()
    outage = Outage("PostgreSQL", quiet_seconds=5, now=clock)
    with capture_logs() as lines:
        for _ in range(20):  # reads succeed while the disk is full
            outage.away(asyncpg.DiskFullError("no space left"))
            clock.seconds += 1
            outage.back()
        clock.seconds += 4
        outage.back()
    assert [line["event"] for line in lines] == [
        "PostgreSQL cannot be used; trying again",
        "PostgreSQL is back",
    ]

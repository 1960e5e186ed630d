"""The time, in one place, so that `metergraph cycle --at` and tests can set it.

It is PostgreSQL's time as soon as that was read (`metergraph.database.database_clock`): a machine
whose clock is off turns no period early and refuses no event. Between readings it goes by a clock
that cannot be set.

A leaf: it imports nothing of ours. Instants are aware datetimes in UTC.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

MOST_OFF = timedelta(seconds=5)
"""How far a machine's clock may be from PostgreSQL's before it is said to be off."""

# A ContextVar, because it follows the task that set it and no other.
_fixed: ContextVar[datetime | None] = ContextVar("metergraph_clock", default=None)


@dataclass(frozen=True)
class _Reading:
    """PostgreSQL's time at an instant of `elapsed`, give or take `doubt`."""

    instant: datetime
    elapsed: float
    doubt: timedelta

    def at(self, elapsed_: float) -> datetime:
        return self.instant + timedelta(seconds=elapsed_ - self.elapsed)


# A process has one database, and so one time.
_reading: _Reading | None = None


def now() -> datetime:
    """The current instant in UTC, or the instant that `at` has set for this task."""
    fixed = _fixed.get()
    if fixed is not None:
        return fixed
    return machine_now() if _reading is None else _reading.at(elapsed())


def machine_now() -> datetime:
    """The current instant in UTC by the clock of this machine, which anybody may set."""
    return datetime.now(UTC)


def elapsed() -> float:
    """Seconds since some instant; goes on while the machine sleeps, and is never set."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def follow(instant: datetime, asked: float, answered: float) -> None:
    """Takes PostgreSQL's time over, as it was between two instants of `elapsed`.

    A reading that is less certain than the one before, and does not contradict it, changes nothing.
    """
    global _reading  # noqa: PLW0603  # see there
    doubt = timedelta(seconds=(answered - asked) / 2)
    found = _Reading(instant, (asked + answered) / 2, doubt)
    if _reading is not None and doubt >= _reading.doubt:
        apart = abs(_reading.at(found.elapsed) - instant)
        if apart <= doubt + _reading.doubt:
            return
    _reading = found


def forget() -> None:
    """Lets `now` tell this machine's time again."""
    global _reading  # noqa: PLW0603  # see there
    _reading = None


def is_followed() -> bool:
    """Whether `now` tells PostgreSQL's time."""
    return _reading is not None


def ahead() -> timedelta | None:
    """How far this machine's clock is ahead of PostgreSQL's; None while that is not known."""
    return None if _reading is None else machine_now() - _reading.at(elapsed())


def is_off() -> bool:
    """Whether this machine's clock is known to be off."""
    found = ahead()
    return found is not None and abs(found) > MOST_OFF


@contextmanager
def at(instant: datetime) -> Iterator[None]:
    """Let `now()` stand still at `instant` for this task and the tasks that it starts.

    Raises:
        ValueError: `instant` has no offset.
    """
    if instant.utcoffset() is None:
        raise ValueError("an instant needs an offset from UTC")
    token = _fixed.set(instant.astimezone(UTC))
    try:
        yield
    finally:
        _fixed.reset(token)

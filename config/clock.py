"""The current time, which `metergraph cycle --at` and tests can set.

It is PostgreSQL's time once that has been read (`metergraph.database.database_clock`), so a machine
whose clock is off ends no period early and refuses no event. Between readings, a clock that cannot
be set counts on. Instants are aware datetimes in UTC.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

MOST_OFF = timedelta(seconds=5)
"""How far a machine's clock may be from PostgreSQL's before it counts as off."""

# A ContextVar, so that it holds for the task that set it and no other.
_fixed: ContextVar[datetime | None] = ContextVar("metergraph_clock", default=None)


@dataclass(frozen=True)
class _Reading:
    """PostgreSQL's time at a moment of `elapsed`, plus or minus `doubt`."""

    instant: datetime
    elapsed: float
    doubt: timedelta

    def at(self, elapsed_: float) -> datetime:
        return self.instant + timedelta(seconds=elapsed_ - self.elapsed)


# One for the process, which has one database.
_reading: _Reading | None = None


def now() -> datetime:
    """The current instant in UTC, or the one that `at` has set for this task."""
    fixed = _fixed.get()
    if fixed is not None:
        return fixed
    return machine_now() if _reading is None else _reading.at(elapsed())


def machine_now() -> datetime:
    """The current instant in UTC by this machine's clock, which may be off."""
    return datetime.now(UTC)


def elapsed() -> float:
    """Seconds since some moment, by a clock that is never set and runs while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def follow(instant: datetime, asked: float, answered: float) -> None:
    """Adopts PostgreSQL's time, as read between two moments of `elapsed`.

    A less certain reading that agrees with the previous one changes nothing.
    """
    global _reading  # noqa: PLW0603  # one for the process
    doubt = timedelta(seconds=(answered - asked) / 2)
    found = _Reading(instant, (asked + answered) / 2, doubt)
    if _reading is not None and doubt >= _reading.doubt:
        apart = abs(_reading.at(found.elapsed) - instant)
        if apart <= doubt + _reading.doubt:
            return
    _reading = found


def forget() -> None:
    """Returns to this machine's time."""
    global _reading  # noqa: PLW0603  # one for the process
    _reading = None


def is_followed() -> bool:
    """Whether `now` is PostgreSQL's time."""
    return _reading is not None


def ahead() -> timedelta | None:
    """How far this machine's clock is ahead of PostgreSQL's; None if it is not known."""
    return None if _reading is None else machine_now() - _reading.at(elapsed())


def is_off() -> bool:
    """Whether this machine's clock is known to be off."""
    found = ahead()
    return found is not None and abs(found) > MOST_OFF


@contextmanager
def at(instant: datetime) -> Iterator[None]:
    """Stops `now()` at `instant`, for this task and the tasks that it starts.

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

"""The time, in one place, so that `metergraph cycle --at` and tests can set it.

A leaf: it imports nothing of ours. Instants are aware datetimes in UTC.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

# A ContextVar, because it follows the task that set it and no other.
_fixed: ContextVar[datetime | None] = ContextVar("metergraph_clock", default=None)


def now() -> datetime:
    """The current instant in UTC, or the instant that `at` has set for this task."""
    return _fixed.get() or datetime.now(UTC)


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

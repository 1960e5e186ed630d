"""Follows changing rows in the order of their changes, for any number of followers.

A row's cursor grows with each of its changes, and no change appears behind a cursor that was read.
The feed reads new changes once for all followers and keeps the newest ones. A follower that is
farther behind, because it is new or slow, reads from the database. So a follower costs only a
cursor, however slow it is. One that follows a customer wakes only for that customer's changes.
"""

import asyncio
import contextlib
from bisect import bisect_right
from collections import Counter, deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Generic, Protocol, TypeVar
from uuid import UUID

import structlog

from config import tracing
from waiting.outages import is_outage

_log = structlog.get_logger(__name__)

WINDOW = 1_000
# Bounds the memory of a follower that does not take its page: rows, and the data they refer to.
PAGE = 100
# A signal can be lost. Followers then see the change after at most this long.
SECONDS_BETWEEN_LOOKS = 1.0
_MOST_TRACEPARENTS = 100

_LAST_ID = UUID(int=2**128 - 1)

T = TypeVar("T")
Row = TypeVar("Row")
Wanted_contra = TypeVar("Wanted_contra", contravariant=True)


class CursorLostError(Exception):
    """What was behind a cursor is gone, because the database was restored."""


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """A place in the order of changes: a revision or position, and a row's id within it."""

    number: int
    id: UUID = _LAST_ID


BEGINNING = Cursor(-1)


@dataclass(frozen=True, slots=True)
class Entry(Generic[Row]):
    """A row after a change."""

    cursor: Cursor
    row: Row


class Selection(Protocol[Wanted_contra]):
    """The rows that a follower wants."""

    @property
    def customer_id(self) -> UUID | None:
        """The customer whose rows are wanted; None for all."""

    def matches(self, row: Wanted_contra, /) -> bool:
        """Whether this row is wanted."""


Read = Callable[[Cursor, int, Selection[Row] | None], Awaitable[list[Entry[Row]]]]
"""Reads the first rows after a cursor, up to a limit, of a selection or of all."""


class _Growth:
    """Resolves when there are changes for waiting followers, all of whom are after `since`."""

    def __init__(self) -> None:
        self.happened = asyncio.Event()
        self.since = BEGINNING
        self.traceparent: str | None = None


class ChangeFeed(Generic[Row]):
    """The changes of one organization.

    Args:
        read: reads changes.
        head: returns the number of the latest change.
        customer_of: returns the customer of a row.
        turn: waits until a follower may look for changes, because all of them wake at once.
    """

    def __init__(
        self,
        read: Read[Row],
        head: Callable[[], Awaitable[int]],
        customer_of: Callable[[Row], UUID],
        turn: Callable[[], Awaitable[None]],
    ) -> None:
        self._read = read
        self._head = head
        self._customer_of = customer_of
        self._turn = turn
        self._reading: dict[Hashable, asyncio.Task[list[Entry[Row]]]] = {}
        self._signal = asyncio.Event()
        self._traceparents: deque[str] = deque(maxlen=_MOST_TRACEPARENTS)
        self._growth: dict[UUID | None, _Growth] = {}
        self._window: list[Entry[Row]] = []
        self._start = self._end = BEGINNING
        self._followers: Counter[UUID | None] = Counter()
        self._reader: asyncio.Task[None] | None = None
        self._failures = 0

    @property
    def followers(self) -> int:
        """How many followers there are."""
        return self._followers.total()

    def look(self, traceparent: str | None = None) -> None:
        """Makes the feed look for changes now; a span's work has made some."""
        if traceparent is not None:
            self._traceparents.append(traceparent)
        self._signal.set()

    async def follow(
        self, after: Cursor | None, selection: Selection[Row]
    ) -> AsyncGenerator[Sequence[Entry[Row]], None]:
        """Yields the changes after a cursor, or from now on if it is None, without end.

        They come in pages. If a row has changed more than once since the last page, the page has
        only its newest state.

        Raises:
            CursorLostError: the changes are behind those that were read before.
        """
        await self._begin()
        reader = self._reader
        whose = selection.customer_id
        self._followers[whose] += 1
        try:
            cursor = self._end if after is None else after
            traceparent: str | None = None
            while True:
                if self._reader is not reader:
                    raise CursorLostError
                growth = self._growth.setdefault(whose, _Growth())
                entries, reached = await self._after(cursor, selection)
                if entries:
                    push = tracing.following("push", [traceparent])
                    try:
                        yield _newest(entries)
                    finally:
                        push.end()
                if reached == cursor:
                    await growth.happened.wait()
                    traceparent = growth.traceparent
                    await self._turn()
                    reached = max(cursor, growth.since)
                cursor = reached
        finally:
            self._leave(whose)

    async def _begin(self) -> None:
        if self._reader is None:
            head = await self._head()
            if self._reader is None:
                self._start = self._end = Cursor(head)
                self._reader = asyncio.create_task(self._follow_changes())

    def _leave(self, whose: UUID | None) -> None:
        self._followers[whose] -= 1
        if self._followers[whose]:
            return
        del self._followers[whose]
        self._growth.pop(whose, None)
        if not self._followers and self._reader is not None:
            self._reader.cancel()
            self._reader = None
            self._window.clear()
            self._stop_reading()

    def _stop_reading(self) -> None:
        # Whoever comes next must not join a reading that is being cancelled.
        readings, self._reading = self._reading, {}
        for reading in readings.values():
            reading.cancel()

    async def _after(
        self, cursor: Cursor, selection: Selection[Row]
    ) -> tuple[list[Entry[Row]], Cursor]:
        """Returns the entries after a cursor, and the cursor up to which they are complete."""
        end = self._end
        if cursor >= self._start:
            first = bisect_right(self._window, cursor, key=lambda entry: entry.cursor)
            wanted = (
                entry for entry in islice(self._window, first, None) if selection.matches(entry.row)
            )
            entries = list(islice(wanted, PAGE))
            return entries, max(cursor, end) if len(entries) < PAGE else entries[-1].cursor
        entries = await self._read_together(cursor, selection)
        last = entries[-1].cursor if entries else cursor
        return entries, last if len(entries) == PAGE else max(end, last)

    async def _read_together(self, cursor: Cursor, selection: Selection[Row]) -> list[Entry[Row]]:
        """Reads a page from the database for all followers who want it meanwhile.

        It is no older than `_end` was when they asked.
        """
        key = (cursor, selection, self._end)
        reading = self._reading.get(key)
        if reading is None:
            reading = asyncio.create_task(
                self._retrying(partial(self._read, cursor, PAGE, selection))
            )
            self._reading[key] = reading
            reading.add_done_callback(partial(self._forget, key))
        return await asyncio.shield(reading)

    def _forget(self, key: Hashable, reading: "asyncio.Task[list[Entry[Row]]]") -> None:
        if self._reading.get(key) is reading:
            del self._reading[key]

    async def _follow_changes(self) -> None:
        checked = self._failures
        while True:
            self._signal.clear()
            traceparents = [*self._traceparents]
            self._traceparents.clear()
            with tracing.following("read changes", traceparents) as span:
                entries = await self._retrying(partial(self._read, self._end, WINDOW, None))
                span.note(changes=len(entries))
            if checked != self._failures:
                # Connections were lost, so the database may have been restored meanwhile.
                checked = self._failures
                if await self._retrying(self._head) < self._end.number:
                    self._lose()
                    return
            if entries:
                self._keep(entries, span.traceparent)
            if len(entries) < WINDOW:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(SECONDS_BETWEEN_LOOKS):
                        await self._signal.wait()

    def _keep(self, entries: list[Entry[Row]], traceparent: str | None) -> None:
        before = self._end
        self._window += entries
        surplus = len(self._window) - WINDOW
        if surplus > 0:
            self._start = self._window[surplus - 1].cursor
            del self._window[:surplus]
        self._end = entries[-1].cursor
        for whose in {None, *(self._customer_of(entry.row) for entry in entries)}:
            growth = self._growth.pop(whose, None)
            if growth is not None:
                growth.since = before
                growth.traceparent = traceparent
                growth.happened.set()

    def _lose(self) -> None:
        """Ends all followers; later ones begin with what there is now."""
        self._reader = None
        self._window.clear()
        self._stop_reading()
        for growth in self._growth.values():
            growth.happened.set()
        self._growth.clear()

    async def _retrying(self, read: Callable[[], Awaitable[T]]) -> T:
        """Reads, and tries again until that succeeds, so that followers miss nothing.

        In an outage followers need not notice. A bug is logged once. The first retry comes at
        once, because a lost connection has been replaced by then.
        """
        pause = 0.0
        is_said = False
        while True:
            try:
                return await read()
            except Exception as error:  # noqa: BLE001  # no caller would see it
                self._failures += 1
                # The database's client logs outages.
                if not is_outage(error) and not is_said:
                    is_said = True
                    _log.exception("changes cannot be read; trying again")
                await asyncio.sleep(pause)
                pause = SECONDS_BETWEEN_LOOKS


def _newest(entries: Sequence[Entry[Row]]) -> Sequence[Entry[Row]]:
    """Returns the last entry of each row, in the order of their cursors."""
    last = {entry.cursor.id: place for place, entry in enumerate(entries)}
    return [entry for place, entry in enumerate(entries) if last[entry.cursor.id] == place]

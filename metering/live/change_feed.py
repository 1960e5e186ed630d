"""Following rows that change, in the order of their changes: any number of followers, one reader.

Each row has a cursor that grows with every change of it, and changes never appear behind a cursor
that was read. The feed reads what is new once for all followers and keeps the newest part; a
follower that is farther behind, because it has just come or reads slowly, reads from the database.
So a follower costs a cursor, however slow it is; and one who follows a customer is woken by what is
that customer's only.
"""

import asyncio
import contextlib
from bisect import bisect_right
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Generic, Protocol, TypeVar
from uuid import UUID

import structlog

from waiting.outages import is_outage

_log = structlog.get_logger(__name__)

WINDOW = 1_000
# A follower that does not take its page keeps it: so many rows, and what they refer to.
PAGE = 100
# Signals can be lost; this is how long a change may then go unseen.
SECONDS_BETWEEN_LOOKS = 1.0

_LAST_ID = UUID(int=2**128 - 1)

Row = TypeVar("Row")
Wanted_contra = TypeVar("Wanted_contra", contravariant=True)


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """A place in the order of changes: a revision or position, and the row's id within it."""

    number: int
    id: UUID = _LAST_ID


BEGINNING = Cursor(-1)


@dataclass(frozen=True, slots=True)
class Entry(Generic[Row]):
    """A row as it was after a change."""

    cursor: Cursor
    row: Row


class Selection(Protocol[Wanted_contra]):
    """Which rows a follower wants."""

    @property
    def customer_id(self) -> UUID | None:
        """Of which customer alone; None: of any."""

    def matches(self, row: Wanted_contra, /) -> bool:
        """Whether it wants this one."""


Read = Callable[[Cursor, int, Selection[Row] | None], Awaitable[list[Entry[Row]]]]
"""Reads the first rows after a cursor, at most so many, of a selection or all."""


class _Growth:
    """Happens once there is something for those who wait for it, all of it after `since`."""

    def __init__(self) -> None:
        self.happened = asyncio.Event()
        self.since = BEGINNING


class ChangeFeed(Generic[Row]):
    """The changes of one organization.

    Args:
        read: reads changes.
        head: says where the changes stand now.
        customer_of: says whose a row is.
        turn: waits for the turn of a follower who looks for what is new: all wake at once.
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
        self._growth: dict[UUID | None, _Growth] = {}
        self._window: list[Entry[Row]] = []
        self._start = self._end = BEGINNING
        self._followers: Counter[UUID | None] = Counter()
        self._reader: asyncio.Task[None] | None = None

    @property
    def followers(self) -> int:
        """How many follow."""
        return self._followers.total()

    def look(self) -> None:
        """Says that there may be something new."""
        self._signal.set()

    async def follow(
        self, after: Cursor | None, selection: Selection[Row]
    ) -> AsyncGenerator[Sequence[Entry[Row]], None]:
        """The changes after a cursor, or, with None, those from now on; for ever.

        They come in pages, as many as there are at a time. Of a row that changed more than once
        since the page before, a page has the newest state.
        """
        await self._begin()
        whose = selection.customer_id
        self._followers[whose] += 1
        try:
            cursor = self._end if after is None else after
            while True:
                growth = self._growth.setdefault(whose, _Growth())
                entries, reached = await self._after(cursor, selection)
                if entries:
                    yield _newest(entries)
                if reached == cursor:
                    await growth.happened.wait()
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
            for reading in self._reading.values():
                reading.cancel()

    async def _after(
        self, cursor: Cursor, selection: Selection[Row]
    ) -> tuple[list[Entry[Row]], Cursor]:
        """What follows a cursor, and the cursor up to which that is everything."""
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
        """A page from the database; those who want the same while it is read share it.

        What is read is no older than `_end` was when they asked.
        """
        key = (cursor, selection, self._end)
        reading = self._reading.get(key)
        if reading is None:
            reading = asyncio.create_task(self._retrying(cursor, PAGE, selection))
            self._reading[key] = reading
            reading.add_done_callback(lambda _reading: self._reading.pop(key))
        return await asyncio.shield(reading)

    async def _follow_changes(self) -> None:
        while True:
            self._signal.clear()
            entries = await self._retrying(self._end, WINDOW, None)
            if entries:
                self._keep(entries)
            if len(entries) < WINDOW:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(SECONDS_BETWEEN_LOOKS):
                        await self._signal.wait()

    def _keep(self, entries: list[Entry[Row]]) -> None:
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
                growth.happened.set()

    async def _retrying(
        self, after: Cursor, limit: int, selection: Selection[Row] | None
    ) -> list[Entry[Row]]:
        """Reads, however long that fails: the database is away, and followers need not notice.

        Or it is a bug, which the log then has in full, once, and followers wait rather than miss
        what comes after it. After the first failure it reads again at once: a lost connection has
        been replaced by then.
        """
        pause = 0.0
        is_said = False
        while True:
            try:
                return await self._read(after, limit, selection)
            except Exception as error:  # noqa: BLE001  # nobody else would hear of it
                # The database's client logs an outage, once for all.
                if not is_outage(error) and not is_said:
                    is_said = True
                    _log.exception("changes cannot be read; trying again")
                await asyncio.sleep(pause)
                pause = SECONDS_BETWEEN_LOOKS


def _newest(entries: Sequence[Entry[Row]]) -> Sequence[Entry[Row]]:
    """The last entry of each row, in the order of their cursors."""
    last = {entry.cursor.id: place for place, entry in enumerate(entries)}
    return [entry for place, entry in enumerate(entries) if last[entry.cursor.id] == place]

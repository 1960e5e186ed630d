"""Following changes: windows, pages and followers, over rows that are numbers."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from metering.live import change_feed as feed_module
from metering.live.change_feed import BEGINNING, ChangeFeed, Cursor, CursorLostError, Entry
from tests.metering.following import one_by_one


async def soon() -> None:
    """A turn that comes in the next pass of the loop."""
    await asyncio.sleep(0)


async def nothing_yet() -> int:
    return 0


def feed_of(read: Any, head: Any = nothing_yet) -> ChangeFeed[int]:
    """A feed of numbers, each of which is its customer."""
    return ChangeFeed(read, head, lambda row: UUID(int=row), soon)


class Everything:
    customer_id = None

    def matches(self, row: int, /) -> bool:
        return row > 0


async def test_a_slow_follower_reads_from_the_source_what_has_left_the_window(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feed_module, "WINDOW", 3)
    monkeypatch.setattr(feed_module, "PAGE", 2)
    rows = list(range(1, 6))

    async def read(after: Cursor, limit: int, scope: object) -> list[Entry[int]]:
        return [Entry(Cursor(row, UUID(int=row)), row) for row in rows if row > after.number][
            :limit
        ]

    feed = feed_of(read)
    fast, slow = (one_by_one(feed.follow(BEGINNING, Everything())) for _ in range(2))
    async with asyncio.timeout(60):
        assert (await anext(slow)).row == 1
        assert [(await anext(fast)).row for _ in rows] == rows
        rows += [6, 7, 8, 9]
        feed.look()
        assert [(await anext(fast)).row for _ in range(4)] == [6, 7, 8, 9]
        assert [(await anext(slow)).row for _ in range(8)] == [2, 3, 4, 5, 6, 7, 8, 9]
    await fast.aclose()
    await slow.aclose()


class Only:
    """The rows of one customer."""

    def __init__(self, row: int) -> None:
        self.customer_id = UUID(int=row)
        self.asked: list[int] = []

    def matches(self, row: int, /) -> bool:
        self.asked.append(row)
        return UUID(int=row) == self.customer_id


async def test_a_follower_of_a_customer_is_woken_by_its_changes_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Although the window has lost what the follower last saw, nothing of it can be missing."""
    monkeypatch.setattr(feed_module, "WINDOW", 3)
    rows: list[int] = []
    scopes: set[object] = set()

    async def read(after: Cursor, limit: int, scope: object) -> list[Entry[int]]:
        scopes.add(scope)
        new = [(number, row) for number, row in enumerate(rows, 1) if number > after.number]
        return [Entry(Cursor(number, UUID(int=row)), row) for number, row in new][:limit]

    async def head() -> int:
        return len(rows)

    feed = feed_of(read, head)
    seven = Only(7)
    everything = one_by_one(feed.follow(None, Everything()))
    of_seven = one_by_one(feed.follow(None, seven))
    waiting = [asyncio.ensure_future(anext(each)) for each in (everything, of_seven)]
    await asyncio.sleep(0)
    async with asyncio.timeout(60):
        rows += [1, 2, 3, 4, 5]
        feed.look()
        assert (await waiting[0]).row == 1
        assert [(await anext(everything)).row for _ in range(4)] == [2, 3, 4, 5]
        assert seven.asked == []
        rows += [6, 7]
        feed.look()
        assert (await waiting[1]).row == 7
        assert seven.asked == [6, 7]
    assert seven not in scopes
    for each in (everything, of_seven):
        await each.aclose()


async def test_followers_survive_failures_of_reading(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feed_module, "SECONDS_BETWEEN_LOOKS", 0.01)
    bugs = [RuntimeError("a bug"), RuntimeError("a bug")]
    failures = [*bugs, ConnectionResetError("an outage")]

    async def read(after: Cursor, limit: int, scope: object) -> list[Entry[int]]:
        if failures:
            raise failures.pop()
        return [Entry(Cursor(1, UUID(int=1)), 1)] if after.number < 1 else []

    pages = feed_of(read).follow(None, Everything())
    with capture_logs() as told:
        async with asyncio.timeout(60):
            assert [entry.row for entry in await anext(pages)] == [1]
    await pages.aclose()
    # An outage is logged by the database's client; a bug is logged once, with its traceback.
    assert [(line["log_level"], line["exc_info"]) for line in told] == [("error", True)]


async def test_a_slow_follower_gets_the_newest_state_of_a_row() -> None:
    """A follower that reads slowly is told how things stand, not how they came to be so."""
    changes = [(1, "a"), (2, "b"), (3, "a"), (4, "c"), (5, "a")]

    async def read(after: Cursor, limit: int, scope: object) -> list[Entry[int]]:
        return [
            Entry(Cursor(number, UUID(bytes=name.encode() * 16)), number)
            for number, name in changes
            if number > after.number
        ]

    feed = feed_of(read)
    pages = feed.follow(Cursor(0), Everything())
    async with asyncio.timeout(60):
        page = await anext(pages)
        assert [entry.row for entry in page] == [2, 4, 5]
        changes.append((6, "a"))
        feed.look()
        assert [entry.row for entry in await anext(pages)] == [6]
    await pages.aclose()


async def test_a_follower_that_comes_as_the_last_one_leaves_gets_its_page() -> None:
    """It must not join the reading that is cancelled for the one who left."""
    begun = asyncio.Event()
    answering = asyncio.Event()
    everything = Everything()

    async def read(after: Cursor, limit: int, scope: object) -> list[Entry[int]]:
        if scope is everything:
            begun.set()
            await answering.wait()
        return [Entry(Cursor(1, UUID(int=1)), 1)] if after.number < 1 else []

    async def head() -> int:
        return 1

    feed = feed_of(read, head)
    first = feed.follow(BEGINNING, everything)
    waiting = asyncio.ensure_future(anext(first))
    async with asyncio.timeout(60):
        await begun.wait()
        waiting.cancel()
        await asyncio.sleep(0)  # it leaves, and its reading has yet to end
        second = one_by_one(feed.follow(BEGINNING, everything))
        answering.set()
        assert (await anext(second)).row == 1
    await second.aclose()


async def test_followers_are_told_if_the_changes_went_back_while_reading_failed() -> None:
    """The database was restored under a process that runs: its numbers come once more."""
    failures: list[Exception] = []
    rows = [1, 2, 3]

    async def read(after: Cursor, limit: int, scope: object) -> list[Entry[int]]:
        if failures:
            raise failures.pop()
        return [Entry(Cursor(row, UUID(int=row)), row) for row in rows if row > after.number]

    async def head() -> int:
        return rows[-1]

    feed = feed_of(read, head)
    pages = feed.follow(None, Everything())
    waiting = asyncio.ensure_future(anext(pages))
    async with asyncio.timeout(60):
        await asyncio.sleep(0)
        rows.append(4)
        feed.look()
        assert [entry.row for entry in await waiting] == [4]
        waiting = asyncio.ensure_future(anext(pages))
        await asyncio.sleep(0)
        del rows[2:]
        failures.append(ConnectionResetError("the database was restored"))
        feed.look()
        with pytest.raises(CursorLostError):
            await waiting
        again = feed.follow(BEGINNING, Everything())
        assert [entry.row for entry in await anext(again)] == [1, 2]
    await again.aclose()

"""Live usage: what a follower sees, from whatever place it begins."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from decimal import Decimal
from typing import TypeVar
from uuid import UUID

import pytest
from arq.connections import ArqRedis
from structlog.testing import capture_logs

from metering import feed as feed_module
from metering import feeds as feeds_module
from metering.aggregations import AggregationFunction
from metering.feed import BEGINNING, Cursor, Entry, Feed
from metering.feeds import EventScope, Feeds, UsageScope
from metering.log import advance
from metering.wakeup import announce, usage_channel
from models import CustomerMeter, Organization
from tests.metering.test_counting import meter_of, send


@pytest.fixture
async def feeds(redis: ArqRedis) -> AsyncIterator[Feeds]:
    feeds = Feeds(redis)
    listening = asyncio.create_task(feeds.listen())
    yield feeds
    listening.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await listening


Row = TypeVar("Row")


async def one_by_one(
    pages: AsyncGenerator[Sequence[Entry[Row]], None],
) -> AsyncGenerator[Entry[Row], None]:
    """The entries of a feed's pages."""
    async with contextlib.aclosing(pages):
        async for page in pages:
            for entry in page:
                yield entry


async def count(organization: Organization, redis: ArqRedis | None = None) -> None:
    while step := await advance(organization.id):
        if redis is not None:
            await announce(redis, organization.id, step.state.revision)


async def test_a_follower_gets_the_state_then_changes_and_resumes_without_gap_or_double(
    organization: Organization, redis: ArqRedis, feeds: Feeds
) -> None:
    await meter_of(organization, AggregationFunction.SUM)
    await send(organization, {"metadata": {"tokens": 1}})
    await send(organization, {"metadata": {"tokens": 1}, "externalCustomerId": "c2"})
    await count(organization)

    seen: list[Entry[CustomerMeter]] = []
    async with asyncio.timeout(10):
        async with contextlib.aclosing(
            one_by_one(feeds.usage(organization.id, BEGINNING, UsageScope()))
        ) as changes:
            async for change in changes:
                seen.append(change)
                if len(seen) == 2:
                    await send(organization, {"metadata": {"tokens": 5}})
                    await count(organization, redis)
                if len(seen) == 3:
                    break
    assert [change.row.consumed for change in seen] == [1, 1, 6]
    assert feeds.followers == 0

    await send(organization, {"metadata": {"tokens": 10}, "externalCustomerId": "c2"})
    await count(organization)
    async with asyncio.timeout(10):
        resumed = one_by_one(feeds.usage(organization.id, seen[-1].cursor, UsageScope()))
        first = await anext(resumed)
        await resumed.aclose()
    assert first.row.consumed == 11
    assert first.cursor > seen[-1].cursor


async def test_a_change_is_seen_although_nobody_announces_it(
    organization: Organization, feeds: Feeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "SECONDS_BETWEEN_LOOKS", 0.05)
    await meter_of(organization, AggregationFunction.SUM)
    changes = one_by_one(feeds.usage(organization.id, BEGINNING, UsageScope()))
    waiting = asyncio.ensure_future(anext(changes))
    await send(organization, {"metadata": {"tokens": 3}})
    await count(organization)
    async with asyncio.timeout(10):
        assert (await waiting).row.consumed == Decimal(3)
    await changes.aclose()


async def test_who_joins_hears_at_once_although_others_are_silent(
    organization: Organization,
    other_organization: Organization,
    redis: ArqRedis,
    feeds: Feeds,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever the process listens to already says nothing, and nobody looks by himself."""
    monkeypatch.setattr(feed_module, "SECONDS_BETWEEN_LOOKS", 60)
    monkeypatch.setattr("metering.feeds._SECONDS_OF_SILENCE", 60)
    silent = asyncio.ensure_future(
        anext(feeds.usage(other_organization.id, BEGINNING, UsageScope()))
    )
    async with asyncio.timeout(10):
        await heard(redis, other_organization)
        await meter_of(organization, AggregationFunction.SUM)
        changes = one_by_one(feeds.usage(organization.id, BEGINNING, UsageScope()))
        waiting = asyncio.ensure_future(anext(changes))
        await heard(redis, organization)
        await send(organization, {"metadata": {"tokens": 3}})
        await count(organization, redis)
        assert (await waiting).row.consumed == Decimal(3)
    await changes.aclose()
    silent.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await silent


async def heard(redis: ArqRedis, organization: Organization) -> None:
    """Returns once somebody listens to the organization's channel."""
    channel = usage_channel(organization.id)
    while not dict(await redis.pubsub_numsub(channel))[channel.encode()]:
        pass


async def test_events_come_in_the_order_of_the_log_and_only_those_asked_for(
    organization: Organization, redis: ArqRedis, feeds: Feeds
) -> None:
    events = one_by_one(feeds.events(organization.id, EventScope(names=frozenset({"wanted"}))))
    waiting = asyncio.ensure_future(anext(events))
    async with asyncio.timeout(10):
        while not feeds.followers:  # noqa: ASYNC110 the feed says by this that it has begun
            await asyncio.sleep(0)
    receipts = await send(organization, {"name": "wanted"}, {"name": "other"}, {"name": "wanted"})
    await count(organization, redis)
    async with asyncio.timeout(10):
        seen = [await waiting, await anext(events)]
    await events.aclose()
    assert [event.row["id"] for event in seen] == [receipts[0].event_id, receipts[2].event_id]


class Everything:
    customer_id = None

    def matches(self, row: int, /) -> bool:
        return row > 0


async def test_a_slow_follower_reads_from_the_source_what_the_window_no_longer_holds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feed_module, "WINDOW", 3)
    monkeypatch.setattr(feed_module, "PAGE", 2)
    rows = list(range(1, 6))

    async def read(after: Cursor, limit: int, scope: object) -> list[Entry[int]]:
        return [Entry(Cursor(row, UUID(int=row)), row) for row in rows if row > after.number][
            :limit
        ]

    async def head() -> int:
        return 0

    feed = Feed(read, head, lambda row: UUID(int=row))
    fast, slow = (one_by_one(feed.follow(BEGINNING, Everything())) for _ in range(2))
    async with asyncio.timeout(10):
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


async def test_who_follows_a_customer_is_woken_by_its_changes_only_and_need_not_read_for_itself(
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

    feed = Feed(read, head, lambda row: UUID(int=row))
    seven = Only(7)
    everything = one_by_one(feed.follow(None, Everything()))
    of_seven = one_by_one(feed.follow(None, seven))
    waiting = [asyncio.ensure_future(anext(each)) for each in (everything, of_seven)]
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
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


async def test_followers_outlive_whatever_goes_wrong_while_changes_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feed_module, "SECONDS_BETWEEN_LOOKS", 0.01)
    failures = [RuntimeError("a bug"), ConnectionResetError("an outage")]

    async def read(after: Cursor, limit: int, scope: object) -> list[Entry[int]]:
        if failures:
            raise failures.pop()
        return [Entry(Cursor(1, UUID(int=1)), 1)] if after.number < 1 else []

    async def head() -> int:
        return 0

    pages = Feed(read, head, lambda row: UUID(int=row)).follow(None, Everything())
    with capture_logs() as told:
        async with asyncio.timeout(10):
            assert [entry.row for entry in await anext(pages)] == [1]
    await pages.aclose()
    assert [(line["reason"], line["exc_info"]) for line in told] == [
        ("ConnectionResetError('an outage')", False),
        ("RuntimeError('a bug')", True),
    ]


async def test_of_a_row_that_changed_several_times_the_newest_state_comes() -> None:
    """A follower that reads slowly is told how things stand, not how they came to be so."""
    changes = [(1, "a"), (2, "b"), (3, "a"), (4, "c"), (5, "a")]

    async def read(after: Cursor, limit: int, scope: object) -> list[Entry[int]]:
        return [
            Entry(Cursor(number, UUID(bytes=name.encode() * 16)), number)
            for number, name in changes
            if number > after.number
        ]

    async def head() -> int:
        return 0

    feed = Feed(read, head, lambda row: UUID(int=row))
    pages = feed.follow(Cursor(0), Everything())
    async with asyncio.timeout(10):
        page = await anext(pages)
        assert [entry.row for entry in page] == [2, 4, 5]
        changes.append((6, "a"))
        feed.look()
        assert [entry.row for entry in await anext(pages)] == [6]
    await pages.aclose()


async def test_who_joins_while_the_last_one_leaves_is_told_of_changes(
    organization: Organization, feeds: Feeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    await meter_of(organization, AggregationFunction.SUM)
    await send(organization, {"metadata": {"tokens": 1}})
    await count(organization)
    leaving = feeds.usage(organization.id, BEGINNING, UsageScope())
    await anext(leaving)

    asked, answered = asyncio.Event(), asyncio.Event()
    column = feeds_module._log_column

    async def slow(organization_id: UUID, name: str) -> int:
        found = await column(organization_id, name)
        asked.set()
        await answered.wait()
        return found

    monkeypatch.setattr(feeds_module, "_log_column", slow)
    joining = feeds.events(organization.id, EventScope())
    first = asyncio.ensure_future(anext(joining))
    await asked.wait()
    await leaving.aclose()
    answered.set()
    await send(organization, {"metadata": {"tokens": 2}})
    await count(organization)
    async with asyncio.timeout(10):
        await first

    # One that announcements do not reach is not counted either.
    assert feeds.followers == 1
    await joining.aclose()
    assert feeds.followers == 0

"""Live usage: what a follower sees, from any cursor."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from decimal import Decimal
from uuid import UUID

import pytest
from arq.connections import ArqRedis

from metering.counting.log import advance
from metering.live import change_feed as feed_module
from metering.live import subscriptions as feeds_module
from metering.live.after_commit import performing_events
from metering.live.change_feed import BEGINNING, Entry
from metering.live.changes import EventSelection, UsageSelection, log_column
from metering.live.subscriptions import ChangeFeeds
from metering.live.wakeup import usage_channel
from models import CustomerMeter, Organization
from tests.ingesting import meter_of, send
from tests.metering.following import listening, one_by_one


@pytest.fixture
async def feeds(redis: ArqRedis) -> AsyncIterator[ChangeFeeds]:
    async with listening(redis) as feeds:
        yield feeds


async def count(organization: Organization, redis: ArqRedis | None = None) -> None:
    async with contextlib.nullcontext() if redis is None else performing_events(redis):
        while await advance(organization.id):
            pass


async def test_a_follower_gets_the_state_then_changes_and_resumes_without_gap_or_double(
    organization: Organization, redis: ArqRedis, feeds: ChangeFeeds
) -> None:
    await meter_of(organization.id)
    await send(organization.id, {"metadata": {"tokens": 1}})
    await send(organization.id, {"metadata": {"tokens": 1}, "externalCustomerId": "c2"})
    await count(organization)

    seen: list[Entry[CustomerMeter]] = []
    async with asyncio.timeout(60):
        async with contextlib.aclosing(
            one_by_one(feeds.usage(organization.id, BEGINNING, UsageSelection()))
        ) as changes:
            async for change in changes:
                seen.append(change)
                if len(seen) == 2:
                    await send(organization.id, {"metadata": {"tokens": 5}})
                    await count(organization, redis)
                if len(seen) == 3:
                    break
    assert [change.row.consumed for change in seen] == [1, 1, 6]
    assert feeds.followers == 0

    await send(organization.id, {"metadata": {"tokens": 10}, "externalCustomerId": "c2"})
    await count(organization)
    async with asyncio.timeout(60):
        resumed = one_by_one(feeds.usage(organization.id, seen[-1].cursor, UsageSelection()))
        first = await anext(resumed)
        await resumed.aclose()
    assert first.row.consumed == 11
    assert first.cursor > seen[-1].cursor


async def test_a_change_is_seen_without_an_announcement(
    organization: Organization, feeds: ChangeFeeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "SECONDS_BETWEEN_LOOKS", 0.05)
    await meter_of(organization.id)
    changes = one_by_one(feeds.usage(organization.id, BEGINNING, UsageSelection()))
    waiting = asyncio.ensure_future(anext(changes))
    await send(organization.id, {"metadata": {"tokens": 3}})
    await count(organization)
    async with asyncio.timeout(60):
        assert (await waiting).row.consumed == Decimal(3)
    await changes.aclose()


async def test_a_new_follower_is_told_at_once_while_others_are_silent(
    organization: Organization,
    other_organization: Organization,
    redis: ArqRedis,
    feeds: ChangeFeeds,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever the process listens to already says nothing, and nobody looks by himself."""
    monkeypatch.setattr(feed_module, "SECONDS_BETWEEN_LOOKS", 60)
    monkeypatch.setattr("metering.live.subscriptions.SECONDS_OF_SILENCE", 60)
    silent = asyncio.ensure_future(
        anext(feeds.usage(other_organization.id, BEGINNING, UsageSelection()))
    )
    async with asyncio.timeout(60):
        await heard(redis, other_organization)
        await meter_of(organization.id)
        changes = one_by_one(feeds.usage(organization.id, BEGINNING, UsageSelection()))
        waiting = asyncio.ensure_future(anext(changes))
        await heard(redis, organization)
        await send(organization.id, {"metadata": {"tokens": 3}})
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
    organization: Organization, redis: ArqRedis, feeds: ChangeFeeds
) -> None:
    events = one_by_one(feeds.events(organization.id, EventSelection(names=frozenset({"wanted"}))))
    waiting = asyncio.ensure_future(anext(events))
    async with asyncio.timeout(60):
        while not feeds.followers:  # noqa: ASYNC110 the feed says by this that it has begun
            await asyncio.sleep(0)
    receipts = await send(
        organization.id, {"name": "wanted"}, {"name": "other"}, {"name": "wanted"}
    )
    await count(organization, redis)
    async with asyncio.timeout(60):
        seen = [await waiting, await anext(events)]
    await events.aclose()
    assert [event.row["id"] for event in seen] == [receipts[0].event_id, receipts[2].event_id]


async def test_a_follower_that_joins_while_the_last_one_leaves_is_told_of_changes(
    organization: Organization, feeds: ChangeFeeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    await meter_of(organization.id)
    await send(organization.id, {"metadata": {"tokens": 1}})
    await count(organization)
    leaving = feeds.usage(organization.id, BEGINNING, UsageSelection())
    await anext(leaving)

    asked, answered = asyncio.Event(), asyncio.Event()
    column = log_column

    async def slow(organization_id: UUID, name: str) -> int:
        found = await column(organization_id, name)
        asked.set()
        await answered.wait()
        return found

    monkeypatch.setattr(feeds_module, "log_column", slow)
    joining = feeds.events(organization.id, EventSelection())
    first = asyncio.ensure_future(anext(joining))
    await asked.wait()
    await leaving.aclose()
    answered.set()
    await send(organization.id, {"metadata": {"tokens": 2}})
    await count(organization)
    async with asyncio.timeout(60):
        await first

    # One that announcements do not reach is not counted either.
    assert feeds.followers == 1
    await joining.aclose()
    assert feeds.followers == 0

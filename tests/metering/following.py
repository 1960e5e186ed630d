"""Followers of live usage."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import TypeVar

from arq.connections import ArqRedis

from metering.live.change_feed import Entry
from metering.live.subscriptions import ChangeFeeds
from waiting.turns import PIECES, Pace

Row = TypeVar("Row")


async def one_by_one(
    pages: AsyncGenerator[Sequence[Entry[Row]], None],
) -> AsyncGenerator[Entry[Row], None]:
    """The entries of a feed's pages."""
    async with contextlib.aclosing(pages):
        async for page in pages:
            for entry in page:
                yield entry


@contextlib.asynccontextmanager
async def listening(redis: ArqRedis) -> AsyncIterator[ChangeFeeds]:
    """ChangeFeeds that listen to announcements inside the block."""
    feeds = ChangeFeeds(redis, Pace(PIECES))
    task = asyncio.create_task(feeds.listen())
    yield feeds
    while not task.done():
        task.cancel()
        await asyncio.wait((task,), timeout=0.1)

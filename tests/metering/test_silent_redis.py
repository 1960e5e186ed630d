"""Requests and live usage go on without a Redis that is silent."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing

import httpx
import pytest
from arq.connections import ArqRedis
from structlog.testing import capture_logs

from config.settings import Settings
from metering.counting.log import advance
from metering.live import change_feed as feed_module
from metering.live import pulse, subscriptions
from metering.live.after_commit import performing_events
from metering.live.change_feed import BEGINNING
from metering.live.changes import UsageSelection
from metering.live.subscriptions import ChangeFeeds
from metering.live.wakeup import open_queue, usage_channel
from models import Organization
from tests.ingesting import meter_of, send
from tests.metering.following import listening
from tests.serving import new_token, served
from tests.silence import Proxy, proxied

QUERY = {"query": "{ organization { name } }"}


@pytest.fixture
def proxy(servers: tuple[str, str]) -> Iterator[Proxy]:
    with proxied(servers[1]) as proxy:
        yield proxy


@pytest.mark.usefixtures("redis")
async def test_only_the_first_request_waits_for_a_silent_redis(
    settings: Settings, organization: Organization, proxy: Proxy
) -> None:
    token = await new_token(organization)
    limited = settings.model_copy(update={"rate_limit": "1000/minute", "redis_url": proxy.url})
    headers = {"Authorization": f"Bearer {token}"}
    async with served(limited) as url, httpx.AsyncClient(base_url=url, headers=headers) as client:
        assert (await client.post("/graphql", json=QUERY)).status_code == 200
        with capture_logs() as lines:
            proxy.silence(also_new=True)
            begun = time.monotonic()
            for _ in range(40):
                answer = await client.post("/graphql", json=QUERY, timeout=60)
                assert answer.json()["data"] == {"organization": {"name": organization.name}}
            seconds = time.monotonic() - begun
    # Each of them would have waited for half a second.
    assert seconds < 15
    assert [line["event"] for line in lines if "Redis" in line["event"]] == [
        "Redis cannot be used; trying again"
    ]


@pytest.fixture
async def feeds(proxy: Proxy) -> AsyncIterator[ChangeFeeds]:
    queue = open_queue(proxy.url)
    async with listening(queue) as feeds:
        yield feeds
    await queue.aclose()


async def test_announcements_are_heard_again_after_their_connection_fell_silent(
    organization: Organization,
    redis: ArqRedis,
    proxy: Proxy,
    feeds: ChangeFeeds,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Nobody looks by himself, and silence is noticed soon.
    monkeypatch.setattr(feed_module, "SECONDS_BETWEEN_LOOKS", 600)
    monkeypatch.setattr(subscriptions, "SECONDS_OF_SILENCE", 0.05)
    monkeypatch.setattr(pulse, "_SECONDS_FOR_PONG", 1.0)
    channel = usage_channel(organization.id)

    async def is_heard(wanted: int) -> None:
        while dict(await redis.pubsub_numsub(channel))[channel.encode()] != wanted:  # noqa: ASYNC110  # Redis tells nobody
            await asyncio.sleep(0.01)

    await meter_of(organization.id)
    async with (
        asyncio.timeout(60),
        aclosing(feeds.usage(organization.id, BEGINNING, UsageSelection())) as pages,
    ):
        waiting = asyncio.ensure_future(anext(pages))
        await is_heard(1)
        proxy.silence()
        # The old connection's end is lost, so that Redis believes in two listeners.
        await is_heard(2)
        await send(organization.id, {"metadata": {"tokens": 3}})
        async with performing_events(redis):
            assert await advance(organization.id)
        (entry,) = await waiting
        assert entry.row.consumed == 3

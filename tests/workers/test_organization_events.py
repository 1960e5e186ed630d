"""The shares of organizations in the events of a minute."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from arq.connections import ArqRedis

from config import clock
from workers.measurements import Measurements
from workers.organization_events import RANKS, DividedEvents, last_minute

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


async def counted(redis: ArqRedis, *events: int) -> None:
    """A worker counts that many events for an organization each, at NOON."""
    measurements = Measurements(redis)
    for number in events:
        measurements.counted(uuid4(), number, 0.01)
    with clock.at(NOON):
        await measurements.flush()


async def divided(redis: ArqRedis, at: datetime = NOON + MINUTE) -> DividedEvents:
    with clock.at(at):
        return await last_minute(redis)


async def test_the_largest_have_ranks_and_the_rest_is_one_share(redis: ArqRedis) -> None:
    await counted(redis, 5, 60, 10)
    await counted(redis, 5, 4, 3, 13)
    found = await divided(redis)
    assert found.organizations == 7
    assert [found.share(rank) for rank in range(1, RANKS + 1)] == [0.6, 0.13, 0.1, 0.05, 0.05]
    assert found.share_of_others == pytest.approx(0.07)


async def test_thousands_of_organizations_add_no_series(redis: ArqRedis) -> None:
    await counted(redis, *[1] * 3_000)
    found = await divided(redis)
    assert found.organizations == 3_000
    assert len(found.largest) == RANKS
    assert found.share_of_others == pytest.approx(1 - RANKS / 3_000)


async def test_a_single_organization_has_everything(redis: ArqRedis) -> None:
    await counted(redis, 7)
    found = await divided(redis)
    assert (found.share(1), found.share(2), found.share_of_others) == (1, 0, 0)


async def test_a_minute_without_events_has_no_shares_and_is_soon_forgotten(
    redis: ArqRedis,
) -> None:
    await counted(redis, 7)
    for at in (NOON, NOON + 2 * MINUTE):
        found = await divided(redis, at)
        assert (found.organizations, found.share(1), found.share_of_others) == (0, 0, 0)
    [key] = await redis.keys("metergraph:organization_events:*")
    assert 0 < await redis.ttl(key) <= 180


async def test_events_that_were_counted_while_redis_was_away_are_not_lost(redis: ArqRedis) -> None:
    measurements = Measurements(redis)
    measurements.counted(uuid4(), 3, 0.01)
    pool, redis.connection_pool = redis.connection_pool, ArqRedis(port=1).connection_pool
    await measurements.flush()
    redis.connection_pool = pool
    with clock.at(NOON):
        await measurements.flush()
    assert (await divided(redis)).all == 3

"""Rate limits of tokens, counted in Redis for all processes together.

Without Redis, no request is refused. Refusing paying customers' events because a cache is down
would do more harm than good.
"""

import math
import time
from typing import cast

from arq.connections import ArqRedis
from limits import RateLimitItem, parse
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from metering.live.redis_connections import REDIS_FAILURES, deadline
from schema.context import Identity
from schema.errors import RateLimited, TooComplex

SECONDS_FOR_REDIS = 0.5  # the most that a request waits
_PREFIX = "metergraph:limit"


class RateLimits:
    """Applies the limit in the settings, such as `600/minute`; None: there is none."""

    def __init__(self, limit: str | None, redis: ArqRedis) -> None:
        self._redis = redis
        self._limit: RateLimitItem | None = None if limit is None else parse(limit)
        storage = RedisStorage(
            "async+redis://",
            implementation="redispy",
            key_prefix=_PREFIX,
            # Typed as text, but passed on unchanged to redis-py.
            connection_pool=cast(str, redis.connection_pool),
        )
        self._limiter = SlidingWindowCounterRateLimiter(storage)

    async def take(self, caller: Identity | None, operations: int = 1, *, counted: int = 0) -> None:
        """Counts operations; raises RateLimited with `retryAfterSeconds` if there are too many.

        Some operations of a batch may be `counted` already, from before it was read. A batch above
        the limit is TooComplex, because waiting does not help. Anonymous requests get only errors,
        and are not counted.
        """
        if self._limit is None or caller is None:
            return
        if operations > self._limit.amount:
            raise TooComplex(
                f"A batch of {operations} exceeds the rate limit of this token: {self._limit}"
            )
        if operations == counted:
            return
        key = str(caller.counted_as)
        try:
            async with deadline(self._redis, SECONDS_FOR_REDIS):
                if await self._limiter.hit(self._limit, key, cost=operations - counted):
                    return
                stats = await self._limiter.get_window_stats(self._limit, key)
        except REDIS_FAILURES:
            return  # the connection's circuit has logged it
        seconds = max(1, math.ceil(stats.reset_time - time.time()))
        message = f"The rate limit of this token is {self._limit}; try again in {seconds} s"
        raise RateLimited(message, retryAfterSeconds=seconds)

"""How the events of a minute are divided between organizations, in Redis for /metrics.

The organizations with most events are known by rank only. So the number of series does not grow
with the number of organizations, whoever makes them; a worker's log names the largest.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from arq.connections import ArqRedis
from redis.asyncio.client import Pipeline

from config import clock

RANKS = 5
_MINUTE = 60  # seconds
_KEPT_SECONDS = 3 * _MINUTE
# The member of a minute's sorted set that has the events of all organizations.
_ALL = ""


@dataclass(frozen=True, slots=True)
class DividedEvents:
    """The events of a minute: of the organizations with most, by rank, and of all.

    `organizations` is how many had any.
    """

    organizations: int
    largest: tuple[float, ...]
    all: float

    def share(self, rank: int) -> float:
        """Returns the share of the organization of a rank, from 1 to RANKS; 0 if there is none."""
        return self.largest[rank - 1] / self.all if rank <= len(self.largest) else 0.0

    @property
    def share_of_others(self) -> float:
        """The share of all organizations without a rank."""
        return 1 - sum(self.largest) / self.all if self.all else 0.0


def add_events(pipe: Pipeline, events: Mapping[UUID, int]) -> None:
    """Adds commands to a pipeline that count the events of organizations in this minute."""
    if not events:
        return
    key = _key(_this_minute())
    for organization_id, number in events.items():
        pipe.zincrby(key, number, str(organization_id))
    pipe.zincrby(key, sum(events.values()), _ALL)
    pipe.expire(key, _KEPT_SECONDS)


async def last_minute(redis: ArqRedis) -> DividedEvents:
    """Reads the events of the last full minute."""
    key = _key(_this_minute() - 1)
    async with redis.pipeline(transaction=True) as pipe:
        pipe.zcard(key)
        pipe.zscore(key, _ALL)
        pipe.zrevrange(key, 0, RANKS, withscores=True)
        number, every, members = await pipe.execute()
    largest = [score for member, score in members if member.decode() != _ALL]
    return DividedEvents(max(0, number - 1), tuple(largest[:RANKS]), every or 0.0)


def _this_minute() -> int:
    """Numbers the minutes by PostgreSQL's clock, which all processes share."""
    return int(clock.now().timestamp()) // _MINUTE


def _key(minute: int) -> str:
    return f"metergraph:organization_events:{minute}"

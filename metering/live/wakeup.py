"""Telling the workers that events wait, and the subscribers that usage has changed.

Redis carries only these hints. Losing one loses nothing: a sweep finds what waits, and the
subscribers look for themselves now and then.
"""

import json
from datetime import UTC, datetime
from uuid import UUID

from arq.connections import ArqRedis

from metering.live.redis_connections import GuardedPool

QUEUE = "metergraph:jobs"
PROCESS_EVENTS = "process_events"
CATCH_UP_METERS = "catch_up_meters"

# A wake-up that nobody answered (a worker killed between taking and running it) ends by itself.
_EXPIRY_SECONDS = 5
# arq notes when a job is due by the clock of its sender, and takes what is due by the worker's.
# A wake-up is due at once, however far the two are apart.
_LONG_AGO = datetime(1970, 1, 2, tzinfo=UTC)
_KEPT_SECONDS = 24 * 3_600


def open_queue(redis_url: str) -> ArqRedis:
    """The queue of arq, with jobs as JSON. Connects when it is first used, so Redis may be down.

    While Redis is silent, commands fail at once: see `metering.live.redis_connections`.
    """
    queue = ArqRedis(
        GuardedPool(redis_url),
        job_serializer=lambda job: json.dumps(job).encode(),
        job_deserializer=json.loads,
        default_queue_name=QUEUE,
    )
    # The pool is the queue's own: closing the queue closes its connections.
    queue.auto_close_connection_pool = True
    return queue


def usage_channel(organization_id: UUID) -> str:
    """The pub/sub channel on which workers say that something of the organization changed."""
    return f"metergraph:usage:{organization_id}"


async def wake(redis: ArqRedis, job: str, organization_id: UUID) -> None:
    """Enqueues the job for the organization, unless a wake-up for it waits already.

    The job takes the wake-up away before it looks for work (`answer`), so that whatever is
    committed after that wakes anew. Raises redis.RedisError where Redis is down; the sweep then
    finds the work.
    """
    if await redis.set(_key(job, organization_id), 1, nx=True, ex=_EXPIRY_SECONDS):
        await redis.enqueue_job(
            job, str(organization_id), _defer_until=_LONG_AGO, _expires=_KEPT_SECONDS
        )


async def answer(redis: ArqRedis, job: str, organization_id: UUID) -> None:
    """Takes the wake-up away; to be called before looking for work."""
    await redis.delete(_key(job, organization_id))


async def announce(redis: ArqRedis, organization_id: UUID, revision: int) -> None:
    """Tells the subscribers that usage has changed up to this revision of the log."""
    await redis.publish(usage_channel(organization_id), revision)


def _key(job: str, organization_id: UUID) -> str:
    return f"metergraph:wake:{job}:{organization_id}"

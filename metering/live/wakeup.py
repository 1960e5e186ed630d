"""Hints over Redis: workers learn that work waits, and subscribers that usage has changed.

Losing a hint loses no data: a sweep finds waiting work, and subscribers look now and then.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from arq.connections import ArqRedis

from metering.live.redis_connections import GuardedPool

QUEUE = "metergraph:jobs"
JOBS_CHANNEL = "metergraph:jobs:announced"
"""The channel on which workers hear that a job was enqueued."""
PROCESS_EVENTS = "process_events"
CATCH_UP_METERS = "catch_up_meters"
DELIVER_WEBHOOKS = "deliver_webhooks"

# A wake-up expires if a worker is killed after taking the job and before running it.
_EXPIRY_SECONDS = 5
# arq stores when a job is due by the sender's clock and compares it with the worker's. A wake-up is
# due at once, however far apart the clocks are.
_LONG_AGO = datetime(1970, 1, 2, tzinfo=UTC)
_KEPT_SECONDS = 24 * 3_600

PAUSE_SECONDS = 0.005
"""How long an equal hint waits, so that several changes give one."""
GATHERING_SECONDS = 0.025
"""Between two steps of counting, a worker lets an organization's events gather for this long.

So waking it more often would cost every process, and count nothing sooner.
"""


def open_queue(redis_url: str) -> ArqRedis:
    """The queue of arq, with jobs as JSON. It connects at its first use, so Redis may be down now.

    While Redis is silent, commands fail at once: see `metering.live.redis_connections`.
    """
    queue = ArqRedis(
        GuardedPool(redis_url),
        job_serializer=lambda job: json.dumps(job).encode(),
        job_deserializer=json.loads,
        default_queue_name=QUEUE,
    )
    # Closing the queue closes the connections of its pool.
    queue.auto_close_connection_pool = True
    return queue


def usage_channel(organization_id: UUID) -> str:
    """The pub/sub channel that tells subscribers of changes in the organization."""
    return f"metergraph:usage:{organization_id}"


@dataclass(frozen=True, slots=True)
class Wake:
    """An event: there is work for `job`, such as PROCESS_EVENTS, in an organization."""

    job: str
    organization_id: UUID

    @property
    def pause_seconds(self) -> float:
        """How long an equal event waits after this one was performed."""
        return GATHERING_SECONDS if self.job == PROCESS_EVENTS else PAUSE_SECONDS

    async def perform(self, redis: ArqRedis) -> None:
        """Enqueues the job, unless a wake-up for it waits already.

        The job takes the wake-up away before it looks for work (`answer`), so that work that is
        committed later enqueues it again.
        """
        key = _key(self.job, self.organization_id)
        if await redis.set(key, 1, nx=True, ex=_EXPIRY_SECONDS):
            await redis.enqueue_job(
                self.job,
                str(self.organization_id),
                _defer_until=_LONG_AGO,
                _expires=_KEPT_SECONDS,
            )
            await redis.publish(JOBS_CHANNEL, "")


@dataclass(frozen=True, slots=True)
class UsageChanged:
    """An event: usage or credit of an organization's customers has changed, by a span's work."""

    organization_id: UUID
    traceparent: str | None = None

    @property
    def pause_seconds(self) -> float:
        """How long an equal event waits after this one was performed."""
        return PAUSE_SECONDS

    async def perform(self, redis: ArqRedis) -> None:
        """Tells every process that has subscribers of the organization."""
        await redis.publish(usage_channel(self.organization_id), self.traceparent or "")


async def answer(redis: ArqRedis, job: str, organization_id: UUID) -> None:
    """Deletes the wake-up. A job calls this before it looks for work."""
    await redis.delete(_key(job, organization_id))


def _key(job: str, organization_id: UUID) -> str:
    return f"metergraph:wake:{job}:{organization_id}"

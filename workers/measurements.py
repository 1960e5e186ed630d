"""What the workers measure, added up in Redis, where the API's /metrics finds it.

A worker has no port to be asked at, and there may be many. As everything in Redis it may be lost;
then it begins at zero again, which Prometheus takes for a restart.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Mapping
from typing import cast

from arq.connections import ArqRedis
from arq.worker import Worker

from metering.live.redis_connections import REDIS_FAILURES

KEY = "metergraph:measurements"
SECONDS_BETWEEN_FLUSHES = 1.0
COUNTING_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""The histogram's upper bounds in seconds; the last bucket has none."""

SECONDS = "counting.seconds"
EVENTS = "counting.events"
OUTCOMES = ("complete", "failed", "retried")


class Measurements:
    """The measurements of one worker process that are not in Redis yet."""

    def __init__(self, redis: ArqRedis) -> None:
        self._redis = redis
        self._gained: defaultdict[str, float] = defaultdict(float)
        self._worker: Worker | None = None
        self._seen: dict[str, int] = {}

    def counted(self, events: int, seconds: float) -> None:
        """A step of the log was counted."""
        bound = next((bound for bound in COUNTING_BOUNDS if seconds <= bound), None)
        self._gain({step_field(bound): 1, EVENTS: events, SECONDS: seconds})

    def watch(self, worker: Worker) -> None:
        """Takes the jobs that arq counts from this worker on."""
        self._take_jobs()
        self._worker, self._seen = worker, {}

    async def flush_for_ever(self) -> None:
        """Brings what is measured to Redis, whenever that is there."""
        while True:
            await asyncio.sleep(SECONDS_BETWEEN_FLUSHES)
            await self.flush()

    async def flush(self) -> None:
        """Brings what is measured to Redis; keeps it where that is away."""
        self._take_jobs()
        gained, self._gained = self._gained, defaultdict(float)
        if not gained:
            return
        try:
            async with self._redis.pipeline(transaction=True) as pipe:
                for field, amount in gained.items():
                    pipe.hincrbyfloat(KEY, field, amount)
                await pipe.execute()
        except REDIS_FAILURES:
            self._gain(gained)

    def _gain(self, amounts: Mapping[str, float]) -> None:
        for field, amount in amounts.items():
            self._gained[field] += amount

    def _take_jobs(self) -> None:
        if self._worker is None:
            return
        jobs = {
            job_field("complete"): self._worker.jobs_complete,
            job_field("failed"): self._worker.jobs_failed,
            job_field("retried"): self._worker.jobs_retried,
        }
        for field, total in jobs.items():
            if total > self._seen.get(field, 0):
                self._gained[field] += total - self._seen.get(field, 0)
        self._seen = jobs


def step_field(bound: float | None) -> str:
    """The field that counts steps which took up to `bound` seconds and more than the one before."""
    return f"counting.steps.{'inf' if bound is None else bound}"


def job_field(outcome: str) -> str:
    """The field that counts the jobs of an outcome."""
    return f"jobs.{outcome}"


async def read_measurements(redis: ArqRedis) -> dict[str, float]:
    """What all workers have measured, by field."""
    found = await cast("Awaitable[dict[bytes, bytes]]", redis.hgetall(KEY))
    return {field.decode(): float(amount) for field, amount in found.items()}

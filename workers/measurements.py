"""Measurements of workers: added up in Redis for the API's /metrics, and logged.

If Redis loses the sums, they start at zero, which Prometheus takes for a restart.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import cast
from uuid import UUID

import structlog
from arq.connections import ArqRedis
from arq.worker import Worker

from metering.live.measured import MEASUREMENTS
from metering.live.redis_connections import REDIS_FAILURES
from workers.organization_events import add_events

_log = structlog.get_logger(__name__)

SECONDS_BETWEEN_LINES = 10.0
SECONDS_BETWEEN_FLUSHES = 1.0


@dataclass(frozen=True)
class Histogram:
    """The fields of a histogram of seconds.

    `bounds` are the upper bounds of its buckets; the last bucket, None, has none.
    """

    name: str
    total: str
    bounds: tuple[float, ...]

    def bucket(self, bound: float | None) -> str:
        """Names the field for what took up to `bound`, and longer than the previous bound."""
        return f"{self.name}.{'inf' if bound is None else bound}"

    def gain(self, seconds: float) -> dict[str, float]:
        """What one more observation adds to the fields."""
        bound = next((bound for bound in self.bounds if seconds <= bound), None)
        return {self.bucket(bound): 1, self.total: seconds}


COUNTING = Histogram(
    "counting.steps",
    "counting.seconds",
    (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
DELIVERY = Histogram(
    "webhooks.delays",
    "webhooks.seconds",
    (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0, 600.0, 3_600.0),
)
EVENTS = "counting.events"
OUTCOMES = ("complete", "failed", "retried")
ATTEMPTS = ("delivered", "retried", "failed")
"""What comes of sending a webhook: it is sent again, or `failed` and is given up."""


class Measurements:
    """The measurements of one worker process that are not in Redis yet."""

    def __init__(self, redis: ArqRedis) -> None:
        self._redis = redis
        self._gained: defaultdict[str, float] = defaultdict(float)
        self._events: Counter[UUID] = Counter()
        self._worker: Worker | None = None
        self._seen: dict[str, int] = {}

    def counted(self, organization_id: UUID, events: int, seconds: float) -> None:
        """Records a counted step of an organization's log."""
        self._events[organization_id] += events
        self._gain({EVENTS: events, **COUNTING.gain(seconds)})

    def attempted(self, outcome: str) -> None:
        """Records what came of sending a webhook: one of ATTEMPTS."""
        self._gain({attempt_field(outcome): 1})

    def delivered(self, seconds: float) -> None:
        """Records how long after its event a webhook was delivered."""
        self._gain(DELIVERY.gain(seconds))

    def watch(self, worker: Worker) -> None:
        """Includes the numbers of jobs that arq counts in this worker."""
        self._take_jobs()
        self._worker, self._seen = worker, {}

    async def flush_for_ever(self) -> None:
        """Sends the measurements to Redis every second."""
        while True:
            await asyncio.sleep(SECONDS_BETWEEN_FLUSHES)
            await self.flush()

    async def flush(self) -> None:
        """Sends the measurements to Redis; keeps them if Redis is away."""
        self._take_jobs()
        gained, self._gained = self._gained, defaultdict(float)
        events, self._events = self._events, Counter()
        if not gained:
            return
        try:
            async with self._redis.pipeline(transaction=True) as pipe:
                for name, amount in gained.items():
                    pipe.hincrbyfloat(MEASUREMENTS, name, amount)
                add_events(pipe, events)
                await pipe.execute()
        except REDIS_FAILURES:
            self._gain(gained)
            self._events.update(events)

    def _gain(self, amounts: Mapping[str, float]) -> None:
        for name, amount in amounts.items():
            self._gained[name] += amount

    def _take_jobs(self) -> None:
        if self._worker is None:
            return
        jobs = {
            job_field("complete"): self._worker.jobs_complete,
            job_field("failed"): self._worker.jobs_failed,
            job_field("retried"): self._worker.jobs_retried,
        }
        for name, total in jobs.items():
            if total > self._seen.get(name, 0):
                self._gained[name] += total - self._seen.get(name, 0)
        self._seen = jobs


def job_field(outcome: str) -> str:
    """Names the field for jobs of an outcome."""
    return f"jobs.{outcome}"


def attempt_field(outcome: str) -> str:
    """Names the field for tries to send a webhook, by what came of them."""
    return f"webhooks.{outcome}"


async def read_measurements(redis: ArqRedis) -> dict[str, float]:
    """Reads the sums of all workers, by field."""
    found = await cast("Awaitable[dict[bytes, bytes]]", redis.hgetall(MEASUREMENTS))
    return {name.decode(): float(amount) for name, amount in found.items()}


@dataclass
class _CountedSteps:
    """The sums of some steps of counting."""

    organizations: Counter[UUID] = field(default_factory=Counter)
    number: int = 0
    batches: int = 0
    events: int = 0
    seconds: float = 0.0
    slowest: float = 0.0


class Activity:
    """The steps of counting since the last line. An idle worker logs nothing."""

    def __init__(self) -> None:
        self._steps = _CountedSteps()

    def counted(self, organization_id: UUID, batches: int, events: int, seconds: float) -> None:
        """Adds a step of an organization's log."""
        steps = self._steps
        steps.organizations[organization_id] += events
        steps.number += 1
        steps.batches += batches
        steps.events += events
        steps.seconds += seconds
        steps.slowest = max(steps.slowest, seconds)

    async def say_for_ever(self) -> None:
        """Logs what was counted, every ten seconds."""
        while True:
            await asyncio.sleep(SECONDS_BETWEEN_LINES)
            self.say()

    def say(self) -> None:
        """Logs what was counted since the last line, if anything was."""
        steps, self._steps = self._steps, _CountedSteps()
        if steps.number == 0:
            return
        [(largest, largest_events)] = steps.organizations.most_common(1)
        _log.info(
            "counted",
            events=steps.events,
            batches=steps.batches,
            organizations=len(steps.organizations),
            largest_organization=str(largest),
            largest_events=largest_events,
            steps=steps.number,
            seconds=round(steps.seconds, 3),
            slowest_step_seconds=round(steps.slowest, 3),
        )

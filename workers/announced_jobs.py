"""A worker of arq that hears of new jobs, instead of asking Redis for them all the time."""

import asyncio
import contextlib
from typing import Any

from arq.connections import ArqRedis
from arq.worker import Worker

from metering.live.pulse import (
    SECONDS_OF_SILENCE,
    Pulse,
    keep_listening,
    notice_cancellation,
)
from metering.live.wakeup import JOBS_CHANNEL

# How long a job waits whose announcement was lost.
_SECONDS_BETWEEN_LOOKS = 0.5
# Two looks are at least this far apart, however many jobs are announced.
_POLL_SECONDS = 0.01


class AnnouncedJobs:
    """Tells whether jobs may have been announced since a worker last looked for some."""

    def __init__(self, redis: ArqRedis) -> None:
        self._redis = redis
        self._announced = asyncio.Event()

    async def listen(self) -> None:
        """Hears announcements. Runs until it is cancelled."""
        await keep_listening(self._listen)

    async def _listen(self) -> None:
        async with self._redis.pubsub(ignore_subscribe_messages=True) as pubsub:
            await pubsub.subscribe(JOBS_CHANNEL)
            # Nothing was heard before.
            self.look()
            pulse = Pulse(pubsub)
            while True:
                message = await pubsub.get_message(timeout=SECONDS_OF_SILENCE)
                notice_cancellation()
                await pulse.feel(message)
                if message is not None and message["type"] == "message":
                    self.look()

    def look(self) -> None:
        """Lets the worker look for jobs."""
        self._announced.set()

    async def wait(self) -> None:
        """Returns when the worker should look: at an announcement, or after half a second."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_SECONDS_BETWEEN_LOOKS):
                await self._announced.wait()
        self._announced.clear()


class AnnouncedWorker(Worker):
    """A worker that looks for jobs when some are announced.

    Args:
        announced: whether there may be jobs; it must listen beside the worker.
    """

    def __init__(self, announced: AnnouncedJobs, **options: Any) -> None:
        super().__init__(poll_delay=_POLL_SECONDS, **options)
        self._announced = announced
        # There may be jobs from before.
        announced.look()

    async def _poll_iteration(self) -> None:
        # It is what arq repeats; nothing public of arq is called before each look.
        await self._announced.wait()
        await super()._poll_iteration()
        if self.job_counter >= self.max_jobs:
            # It may have left jobs in the queue, which are not announced again.
            self._announced.look()

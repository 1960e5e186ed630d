"""Waking the workers after a commit, without letting the caller wait for Redis."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextvars import ContextVar
from functools import partial
from uuid import UUID

from arq.connections import ArqRedis
from redis.exceptions import RedisError

from metering.ingest.storing import IngestCall, Receipt, ReceiptStatus, ingest
from metering.live.wakeup import PROCESS_EVENTS, announce, wake
from waiting import shares

Work = Callable[[], Coroutine[None, None, None]]
_waiting: ContextVar[list[Work] | None] = ContextVar("waiting", default=None)


class Waker:
    """One a process. A wake-up that is lost costs time only: the workers' sweep finds the work."""

    def __init__(self, redis: ArqRedis) -> None:
        self._redis = redis
        self._tasks: set[asyncio.Task[None]] = set()

    def wake(self, job: str, organization_id: UUID) -> None:
        """Wakes a worker for the organization, soon."""
        self._start(partial(self._wake, job, organization_id))

    def announce(self, organization_id: UUID, revision: int) -> None:
        """Tells the subscribers soon that usage or credit has changed."""
        self._start(partial(self._announce, organization_id, revision))

    @contextlib.contextmanager
    def after_commit(self) -> Iterator[None]:
        """Around a transaction: what is asked for within happens after it, if it is committed."""
        work: list[Work] = []
        token = _waiting.set(work)
        try:
            yield
        finally:
            _waiting.reset(token)
        for one in work:
            self._start(one)

    async def commit(
        self, organization_id: UUID, calls: Sequence[IngestCall]
    ) -> list[list[Receipt]]:
        """Stores events, then wakes a worker to count them: the commit of a GroupCommit.

        The task must be one for commits of the organization.
        """
        shares.store(organization_id, sum(len(call.events) for call in calls))
        receipts = await ingest(organization_id, calls)
        if any(receipt.status is ReceiptStatus.INSERTED for call in receipts for receipt in call):
            self.wake(PROCESS_EVENTS, organization_id)
        return receipts

    async def _wake(self, job: str, organization_id: UUID) -> None:
        # What fails is logged by the connection's circuit.
        with contextlib.suppress(RedisError, OSError):
            await wake(self._redis, job, organization_id)

    async def _announce(self, organization_id: UUID, revision: int) -> None:
        with contextlib.suppress(RedisError, OSError):
            await announce(self._redis, organization_id, revision)

    def _start(self, work: Work) -> None:
        waiting = _waiting.get()
        if waiting is not None:
            waiting.append(work)
            return
        task = asyncio.create_task(work())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Waits for the wake-ups under way."""
        await asyncio.gather(*self._tasks)

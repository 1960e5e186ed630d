"""Calls that arrive while commits are under way share the next one.

A commit costs the same for one event as for a hundred, so many clients that send single events
are served by few commits. Each call is answered after its own events are committed.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from dataclasses import dataclass
from typing import cast
from uuid import UUID

import asyncpg
from tortoise.exceptions import OperationalError

from metering.ingest.storing import IngestCall, Receipt, ReceiptStatus
from waiting import shares

Commit = Callable[[UUID, Sequence[IngestCall]], Awaitable[list[list[Receipt]]]]

# Larger commits are no cheaper for an event, and everybody in one is answered at its end.
MAXIMUM_EVENTS = 2_000
# While the database works on one commit, this process prepares another.
_COMMITS_AT_ONCE = 2
# Who comes after commits that have taken so long is not kept waiting for them. They are not given
# up: their callers are answered once it is known what became of their events.
_SLOW_SECONDS = 1.0
_SLOW_COMMITS_AT_ONCE = 2

# What one call's data can bring about although the checks let it through; Tortoise makes its own
# error of the former. The neighbours' data is not to blame, so each call is then tried by itself.
# Anything else would fail each of them too.
_ABOUT_DATA = (OperationalError, asyncpg.ProgramLimitExceededError)


@dataclass(frozen=True, slots=True)
class _Waiting:
    call: IngestCall
    answer: asyncio.Future[list[Receipt]]


class GroupCommit:
    """One a process. `receipts` counts what became of the events that it was given.

    Args:
        commit: `metering.ingest.storing.ingest`, or a double of it in tests.
        at_once: how many commits of one organization may be under way.
    """

    def __init__(self, commit: Commit, *, at_once: int = _COMMITS_AT_ONCE) -> None:
        self._commit = commit
        self._at_once = at_once
        self.receipts: Counter[ReceiptStatus] = Counter()
        self._waiting: dict[UUID, list[_Waiting]] = defaultdict(list)
        self._running: dict[UUID, set[asyncio.Task[None]]] = defaultdict(set)
        self._slow: set[asyncio.Task[None]] = set()

    async def submit(self, organization_id: UUID, call: IngestCall) -> list[Receipt]:
        """The receipts of the call, once they are true. Raises what the database raises."""
        waiting = _Waiting(call, asyncio.get_running_loop().create_future())
        self._waiting[organization_id].append(waiting)
        self._start(organization_id)
        receipts = await waiting.answer
        self.receipts.update(receipt.status for receipt in receipts)
        return receipts

    def _start(self, organization_id: UUID) -> None:
        """Starts a task for those who wait, unless there are enough."""
        running = self._running[organization_id]
        slow = min(len(running & self._slow), _SLOW_COMMITS_AT_ONCE)
        if len(running) - slow < self._at_once:
            # In a context of its own: what it does for the others is not this caller's doing.
            running.add(asyncio.create_task(self._run(organization_id), context=Context()))

    def _is_slow(self, organization_id: UUID, task: "asyncio.Task[None]") -> None:
        self._slow.add(task)
        if self._waiting[organization_id]:
            self._start(organization_id)

    async def _run(self, organization_id: UUID) -> None:
        task = cast("asyncio.Task[None]", asyncio.current_task())
        loop = asyncio.get_running_loop()
        group: list[_Waiting] = []
        try:
            while group := _take(self._waiting[organization_id]):
                slow = loop.call_later(_SLOW_SECONDS, self._is_slow, organization_id, task)
                try:
                    await self._answer(organization_id, group)
                finally:
                    slow.cancel()
                    self._slow.discard(task)
        finally:
            # Before anything else runs, so that nobody counts on a task that has seen its last.
            running = self._running[organization_id]
            running.discard(task)
            left = group if running else [*group, *self._waiting.pop(organization_id)]
            if not running:
                del self._running[organization_id]
            # There is somebody only where this task was cancelled.
            for waiting in left:
                waiting.answer.cancel()

    async def _answer(self, organization_id: UUID, group: Sequence[_Waiting]) -> None:
        shares.store(organization_id, sum(len(waiting.call.events) for waiting in group))
        try:
            receipts = await self._commit(organization_id, [waiting.call for waiting in group])
        except Exception as error:  # noqa: BLE001  # the callers get it, whatever it is
            if len(group) > 1 and isinstance(error, _ABOUT_DATA):
                for waiting in group:
                    await self._answer(organization_id, [waiting])
                return
            for waiting in group:
                if not waiting.answer.done():
                    waiting.answer.set_exception(error)
        else:
            for waiting, answer in zip(group, receipts, strict=True):
                if not waiting.answer.done():
                    waiting.answer.set_result(answer)


def _take(queue: list[_Waiting]) -> list[_Waiting]:
    """The calls of the next commit: one, and more as long as they are few events together."""
    events = 0
    for count, waiting in enumerate(queue):
        events += len(waiting.call.events)
        if events > MAXIMUM_EVENTS and count:
            break
    else:
        count = len(queue)
    group = queue[:count]
    del queue[:count]
    return group

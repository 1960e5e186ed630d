"""Lets calls that arrive during a commit share the next one.

A commit costs the same for one event as for a hundred, so few commits serve many clients that send
single events. Each call is answered after its own events are committed.
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

from config import tracing
from metering.ingest.storing import IngestCall, Receipt, ReceiptStatus
from waiting import shares

Commit = Callable[[UUID, Sequence[IngestCall]], Awaitable[list[list[Receipt]]]]

# Larger commits cost no less per event, and all their calls wait for the end.
MAXIMUM_EVENTS = 2_000
# While the database works on one commit, this process prepares another, if that has so many events
# that preparing it takes a while. Few events wait for the next commit, which costs all processes
# less than two commits of half as many.
_COMMITS_AT_ONCE = 2
_EVENTS_WORTH_ANOTHER = 100
# New calls do not wait for commits that take longer than this. Those go on, and their callers are
# answered when they end.
_SLOW_SECONDS = 1.0
_SLOW_COMMITS_AT_ONCE = 2

# Errors that one call's data can cause although it passed the checks. Each call is then tried
# alone, so that its neighbours do not fail with it. Other errors would fail each of them too.
_ABOUT_DATA = (OperationalError, asyncpg.ProgramLimitExceededError)


@dataclass(frozen=True, slots=True)
class _Waiting:
    call: IngestCall
    answer: asyncio.Future[list[Receipt]]
    traceparent: str | None


class GroupCommit:
    """One per process. `receipts` counts the outcomes of events.

    Args:
        commit: `metering.ingest.storing.ingest`, or a double of it in tests.
        at_once: how many commits of one organization may run at once.
        worth_another: how many events must wait for a commit to begin while another one runs.
    """

    def __init__(
        self,
        commit: Commit,
        *,
        at_once: int = _COMMITS_AT_ONCE,
        worth_another: int = _EVENTS_WORTH_ANOTHER,
    ) -> None:
        self._commit = commit
        self._at_once = at_once
        self._worth_another = worth_another
        self.receipts: Counter[ReceiptStatus] = Counter()
        self._waiting: dict[UUID, list[_Waiting]] = defaultdict(list)
        self._running: dict[UUID, set[asyncio.Task[None]]] = defaultdict(set)
        self._slow: set[asyncio.Task[None]] = set()

    async def submit(self, organization_id: UUID, call: IngestCall) -> list[Receipt]:
        """Returns the receipts after the commit. Raises what the database raises."""
        answer = asyncio.get_running_loop().create_future()
        with tracing.within("store events") as span:
            span.note(events=len(call.events))
            self._waiting[organization_id].append(_Waiting(call, answer, span.traceparent))
            self._start(organization_id)
            receipts: list[Receipt] = await answer
        self.receipts.update(receipt.status for receipt in receipts)
        return receipts

    def _start(self, organization_id: UUID) -> None:
        """Starts a task for waiting calls, unless enough are running."""
        running = self._running[organization_id]
        slow = len(running & self._slow)
        counted = len(running) - min(slow, _SLOW_COMMITS_AT_ONCE)
        if counted < self._at_once and (
            len(running) == slow or self._is_worth_another(organization_id)
        ):
            # It has its own context, because it also works for other callers.
            running.add(asyncio.create_task(self._run(organization_id), context=Context()))

    def _is_worth_another(self, organization_id: UUID) -> bool:
        """Whether many events wait."""
        waiting = self._waiting[organization_id]
        return sum(len(one.call.events) for one in waiting) >= self._worth_another

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
            # Start it now, so that no call relies on a task that is ending.
            running = self._running[organization_id]
            running.discard(task)
            left = group if running else [*group, *self._waiting.pop(organization_id)]
            if not running:
                del self._running[organization_id]
            # Calls are left only if this task was cancelled.
            for waiting in left:
                waiting.answer.cancel()

    async def _answer(self, organization_id: UUID, group: Sequence[_Waiting]) -> None:
        shares.store(organization_id, sum(len(waiting.call.events) for waiting in group))
        try:
            with tracing.following("commit", (waiting.traceparent for waiting in group)) as span:
                span.note(calls=len(group))
                receipts = await self._commit(organization_id, [waiting.call for waiting in group])
        except Exception as error:  # noqa: BLE001  # the callers get it
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
    """Takes the calls of the next commit from the queue: one, and more up to MAXIMUM_EVENTS."""
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

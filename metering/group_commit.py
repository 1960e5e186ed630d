"""Calls that arrive while a commit is under way share the next one.

A commit costs the same for one event as for a hundred, so many clients that send single events
are served by few commits. Each call is answered after its own events are committed.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from metering.ingest import IngestCall, Receipt

Commit = Callable[[UUID, Sequence[IngestCall]], Awaitable[list[list[Receipt]]]]

MAXIMUM_EVENTS = 10_000


@dataclass(frozen=True, slots=True)
class _Waiting:
    call: IngestCall
    answer: asyncio.Future[list[Receipt]]


class GroupCommit:
    """One a process. `commit` is `metering.ingest.ingest`, or a double of it in tests."""

    def __init__(self, commit: Commit) -> None:
        self._commit = commit
        self._waiting: dict[UUID, list[_Waiting]] = defaultdict(list)
        self._running: dict[UUID, asyncio.Task[None]] = {}

    async def submit(self, organization_id: UUID, call: IngestCall) -> list[Receipt]:
        """The receipts of the call, once they are true. Raises what the database raises."""
        waiting = _Waiting(call, asyncio.get_running_loop().create_future())
        self._waiting[organization_id].append(waiting)
        if organization_id not in self._running:
            self._running[organization_id] = asyncio.create_task(self._run(organization_id))
        return await waiting.answer

    async def _run(self, organization_id: UUID) -> None:
        queue = self._waiting[organization_id]
        try:
            while queue:
                group = _take(queue)
                await self._answer(organization_id, group)
        finally:
            del self._running[organization_id]
            del self._waiting[organization_id]

    async def _answer(self, organization_id: UUID, group: list[_Waiting]) -> None:
        try:
            receipts = await self._commit(organization_id, [waiting.call for waiting in group])
        except asyncpg.DataError as error:
            # One call's data that the checks let through must not fail its neighbours.
            if len(group) == 1:
                _fail(group, error)
            else:
                for waiting in group:
                    await self._answer(organization_id, [waiting])
        except BaseException as error:
            _fail(group, error)
            if not isinstance(error, Exception):
                raise
        else:
            for waiting, answer in zip(group, receipts, strict=True):
                if not waiting.answer.done():
                    waiting.answer.set_result(answer)


def _take(queue: list[_Waiting]) -> list[_Waiting]:
    """The calls of the next commit: at least one, and no more events than a call may have."""
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


def _fail(group: list[_Waiting], error: BaseException) -> None:
    for waiting in group:
        if not waiting.answer.done():
            waiting.answer.set_exception(error)

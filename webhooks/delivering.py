"""Sends what is due to one endpoint, a few messages at a time.

How many depends on the endpoint: each success allows one more, and a failure halves them. So an
endpoint that hangs is sent one message at a time.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeVar
from uuid import UUID

from config import tracing
from models.identifiers import new_id
from webhooks.due import (
    Due,
    LeasedEndpoint,
    Result,
    give_back_lease,
    load_due,
    store_results,
    take_lease,
)
from webhooks.secrets import decrypted
from webhooks.sending import Sender

T = TypeVar("T")

MOST_AT_ONCE = 32
_FIRST_AT_ONCE = 2
_LOADED = 64
# A try takes 16 s at most. The lease is renewed before and after, so it never ends in between.
_RENEWAL_SECONDS = 5.0
# New messages that arrive within this time find the connections open.
_LINGER_SECONDS = 0.5
# So often it looks meanwhile, because another worker's deliveries come without a word.
_LOOK_SECONDS = 0.1

Place = Callable[[bool], AbstractAsyncContextManager[object]]


class Ask(Protocol):
    """Runs a statement."""

    async def __call__(self, work: Callable[[], Awaitable[T]]) -> T:
        """Returns or raises what `work` does."""


class EndpointRun:
    """One run: from taking the lease of an endpoint until nothing is due.

    Args:
        organization_id: that of the endpoint.
        endpoint_id: the endpoint.
        sender: its connections, which the run closes.
        ask: runs a statement.
        place: a place among all messages of the process that are being sent; its argument says
            whether the endpoint is failing.
        report: is told of all results, after they are stored.
    """

    def __init__(
        self,
        organization_id: UUID,
        endpoint_id: UUID,
        *,
        sender: Sender,
        ask: Ask,
        place: Place,
        report: Callable[[Sequence[Result]], None],
    ) -> None:
        self._organization_id = organization_id
        self._endpoint_id = endpoint_id
        self._sender = sender
        self._ask = ask
        self._place = place
        self._report = report
        self._lease = new_id()
        self._endpoint: LeasedEndpoint | None = None
        self._secrets: list[str] = []
        self._renewed_at = 0.0
        self._woken = asyncio.Event()
        self._is_asked = False
        self._window = _FIRST_AT_ONCE
        self._ready: deque[Due] = deque()
        self._flying: dict[asyncio.Task[Result], UUID] = {}
        self._landed: list[asyncio.Task[Result]] = []

    def ask_again(self) -> None:
        """Tells the run that something new may be due."""
        self._is_asked = True
        self._woken.set()

    @property
    def is_asked(self) -> bool:
        """Whether it was told of something new that it has not looked for."""
        return self._is_asked

    async def run(self) -> None:
        """Sends everything that is due. Raises SecretKeyError, and what statements raise."""
        try:
            if await self._renew():
                await self._work()
        finally:
            for task in self._flying:
                task.cancel()
            await asyncio.gather(*self._flying, return_exceptions=True)
            await self._sender.close()
            held = self._endpoint
            if held is not None:
                await self._ask(lambda: give_back_lease(held, self._lease))

    async def _renew(self) -> bool:
        """Takes or renews the lease; False if another worker has it or it was disabled."""
        self._renewed_at = time.monotonic()
        self._endpoint = await self._ask(
            lambda: take_lease(self._organization_id, self._endpoint_id, self._lease)
        )
        if self._endpoint is None:
            return False
        self._secrets = [decrypted(secret) for secret in self._endpoint.secrets]
        return True

    async def _work(self) -> None:
        more, quiet_since = True, time.monotonic()
        while endpoint := self._endpoint:
            self._woken.clear()
            if time.monotonic() - self._renewed_at > _RENEWAL_SECONDS:
                await self._renew()
                continue
            if self._landed:
                await self._store(endpoint)
                more = True  # what waited for those
            if (more or self._is_asked) and len(self._ready) < self._window:
                self._is_asked = False
                more = await self._load(endpoint)
            self._start(endpoint)
            if (more or self._is_asked) and len(self._ready) < self._window:
                continue
            if self._flying:
                await self._wait(_RENEWAL_SECONDS)
                quiet_since = time.monotonic()
            else:
                if time.monotonic() - quiet_since >= _LINGER_SECONDS:
                    return
                await self._wait(_LOOK_SECONDS)
                more = True

    async def _load(self, endpoint: LeasedEndpoint) -> bool:
        """Loads what is due; whether there may be more."""
        busy = {*self._flying.values(), *(due.object_id for due in self._ready)}
        found, is_more = await self._ask(lambda: load_due(endpoint, busy, _LOADED))
        self._ready.extend(found)
        return is_more

    def _start(self, endpoint: LeasedEndpoint) -> None:
        while self._ready and len(self._flying) < self._window:
            due = self._ready.popleft()
            task = asyncio.create_task(self._send(endpoint, due))
            self._flying[task] = due.object_id
            task.add_done_callback(self._land)

    async def _send(self, endpoint: LeasedEndpoint, due: Due) -> Result:
        async with self._place(endpoint.is_failing):
            with tracing.following("send webhook", [due.traceparent]) as span:
                attempt = await self._sender.send(endpoint.url, self._secrets, due.message)
                span.note(status=attempt.status or 0, tries=due.tries)
        return Result(due, attempt)

    def _land(self, task: asyncio.Task[Result]) -> None:
        self._landed.append(task)
        self._woken.set()

    async def _store(self, endpoint: LeasedEndpoint) -> None:
        """Stores the results that there are. Their objects are busy until then."""
        landed, self._landed = self._landed, []
        results = [task.result() for task in landed]
        await self._ask(lambda: store_results(endpoint, results))
        for task in landed:
            del self._flying[task]
        self._report(results)
        for result in results:
            if result.attempt.is_success:
                self._window = min(MOST_AT_ONCE, self._window + 1)
            else:
                self._window = max(1, self._window // 2)

    async def _wait(self, seconds: float) -> None:
        """Waits until a message has been sent, or until it is asked."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()

"""Sends what is due to one endpoint, a few messages at a time.

How many depends on the endpoint: each success allows one more, and a failure halves them. So an
endpoint that hangs is sent one message at a time.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeVar
from uuid import UUID

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

Place = Callable[[bool], AbstractAsyncContextManager[object]]


class Ask(Protocol):
    """Runs a statement."""

    async def __call__(self, work: Callable[[], Awaitable[T]]) -> T:
        """Returns or raises what `work` does."""


class EndpointRun:
    """One run: from taking the lease of an endpoint until nothing is due any more.

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
        self._asked = asyncio.Event()
        self._window = _FIRST_AT_ONCE
        self._ready: deque[Due] = deque()
        self._flying: dict[asyncio.Task[Result], UUID] = {}

    def ask_again(self) -> None:
        """Tells the run that something new may be due."""
        self._asked.set()

    async def run(self) -> None:
        """Sends everything that is due. Raises SecretKeyError, and what statements raise."""
        endpoint = await self._renew()
        if endpoint is None:
            return
        try:
            await self._work(endpoint)
        finally:
            for task in self._flying:
                task.cancel()
            await asyncio.gather(*self._flying, return_exceptions=True)
            await self._sender.close()
            held = endpoint
            await self._ask(lambda: give_back_lease(held, self._lease))

    async def _work(self, endpoint: LeasedEndpoint | None) -> None:
        renewed_at = time.monotonic()
        more = True
        while endpoint is not None:
            if time.monotonic() - renewed_at > _RENEWAL_SECONDS:
                renewed_at = time.monotonic()
                endpoint = await self._renew()
                if endpoint is None:  # it was disabled, or another worker has it
                    return
            if more and len(self._ready) < self._window:
                self._asked.clear()
                more = await self._load(endpoint)
            self._start(endpoint)
            if self._flying:
                results = await self._wait()
                if results:
                    await self._store(endpoint, results)
                more = more or bool(results) or self._asked.is_set()
            elif not more:
                more = await self._is_asked()
                if not more:
                    return

    async def _renew(self) -> LeasedEndpoint | None:
        return await self._ask(
            lambda: take_lease(self._organization_id, self._endpoint_id, self._lease)
        )

    async def _load(self, endpoint: LeasedEndpoint) -> bool:
        """Loads what is due; whether there may be more."""
        busy = {*self._flying.values(), *(due.object_id for due in self._ready)}
        found, is_more = await self._ask(lambda: load_due(endpoint, busy, _LOADED))
        self._ready.extend(found)
        return is_more

    def _start(self, endpoint: LeasedEndpoint) -> None:
        if not self._ready or len(self._flying) >= self._window:
            return
        secrets = [decrypted(secret) for secret in endpoint.secrets]
        while self._ready and len(self._flying) < self._window:
            due = self._ready.popleft()
            self._flying[asyncio.create_task(self._send(endpoint, secrets, due))] = due.object_id

    async def _send(self, endpoint: LeasedEndpoint, secrets: Sequence[str], due: Due) -> Result:
        async with self._place(endpoint.is_failing):
            return Result(due, await self._sender.send(endpoint.url, secrets, due.message))

    async def _wait(self) -> list[Result]:
        """Waits for results, but not for long: the lease has to be renewed."""
        done, _ = await asyncio.wait(
            self._flying, timeout=_RENEWAL_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
        for task in done:
            del self._flying[task]
        return [task.result() for task in done]

    async def _store(self, endpoint: LeasedEndpoint, results: list[Result]) -> None:
        await self._ask(lambda: store_results(endpoint, results))
        self._report(results)
        for result in results:
            if result.attempt.is_success:
                self._window = min(MOST_AT_ONCE, self._window + 1)
            else:
                self._window = max(1, self._window // 2)

    async def _is_asked(self) -> bool:
        """Waits a moment for something new."""
        try:
            async with asyncio.timeout(_LINGER_SECONDS):
                await self._asked.wait()
        except TimeoutError:
            return False
        return True

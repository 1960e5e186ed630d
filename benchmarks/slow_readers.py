"""1,000 subscribers, 100 of which never read, while 1,000 events a second come: is memory bounded?

Each of the readers follows the usage of a customer of its own. Each of the others follows all
events, so that the server has a thousand messages a second for it that it does not take.
"""

import asyncio
import json
import time
from contextlib import AsyncExitStack

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from benchmarks.results import Result, percentile
from benchmarks.run import Run
from benchmarks.system import System, Tenant, running_system

NAME = "slow readers"
_SUBSCRIBERS = 1_000
_NEVER_READ = 100
_EVENTS_A_SECOND = 1_000
_CALLS_A_SECOND = 10
_PROTOCOL = Subprotocol("graphql-transport-ws")
_MEGABYTE = 1024 * 1024
_USAGE = """subscription ($customer: String!) {
  usageUpdated(externalCustomerId: $customer) { cursor customerMeter { consumedUnits } }
}"""
_EVENTS = "subscription { eventsIngested { id name metadata customer { externalId } } }"


async def measure(run: Run) -> list[Result]:
    """Memory after ten seconds and at the end, and what the readers get meanwhile."""
    seconds = 20 if run.quick else 90
    async with running_system(run.folder) as system, AsyncExitStack() as stack:
        tenant = await system.new_tenant(meters=1)
        await _send(system, tenant, 1, _SUBSCRIBERS)
        seen = _Seen()
        tasks: set[asyncio.Task[None]] = set()
        for number in range(_SUBSCRIBERS):
            reads = number >= _NEVER_READ
            socket = await connect(
                f"ws://127.0.0.1:{system.port}/graphql",
                subprotocols=[_PROTOCOL],
                ping_interval=None,
                max_queue=None if reads else 1,
            )
            # Closing politely would wait for what was never read.
            stack.callback(socket.transport.abort)
            await _subscribe(socket, tenant.token, f"slow-{number}" if reads else None)
            if reads:
                tasks.add(asyncio.create_task(seen.read(socket)))
        sending = asyncio.create_task(_send(system, tenant, seconds))
        await asyncio.sleep(min(10, seconds / 2))
        warm = system.memory("api")
        seen.start()
        await sending
        end = system.memory("api")
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    shares = sorted(seen.gaps)
    return [
        Result(NAME, "memory after 10 s", f"{warm / _MEGABYTE:.0f} MB"),
        Result(
            NAME,
            f"memory after {seconds} s",
            f"{end / _MEGABYTE:.0f} MB",
            aim="no more than 10% above",
            met=end < warm * 1.1,
        ),
        Result(
            NAME,
            f"updates to {_SUBSCRIBERS - _NEVER_READ} readers",
            f"{len(shares) / seen.seconds:,.0f}/s",
        ),
        Result(NAME, "between a reader's updates, p99", f"{percentile(shares, 0.99):.2f} s"),
    ]


class _Seen:
    """How long each reader waits between two updates."""

    def __init__(self) -> None:
        self.gaps: list[float] = []
        self._started = time.perf_counter()

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._started

    def start(self) -> None:
        """Forgets what was before."""
        self.gaps.clear()
        self._started = time.perf_counter()

    async def read(self, socket: ClientConnection) -> None:
        last = time.perf_counter()
        async for _message in socket:
            now = time.perf_counter()
            self.gaps.append(now - last)
            last = now


async def _subscribe(socket: ClientConnection, token: str, customer: str | None) -> None:
    init = {"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}}
    await socket.send(json.dumps(init))
    await socket.recv()
    payload = {"query": _EVENTS, "variables": {}}
    if customer is not None:
        payload = {"query": _USAGE, "variables": {"customer": customer}}
    await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))


async def _send(
    system: System, tenant: Tenant, seconds: int, size: int = _EVENTS_A_SECOND // _CALLS_A_SECOND
) -> None:
    """Sends calls of `size` events, each when it is due; every customer gets one a second."""
    connection = await system.connect(tenant.token)
    started = time.perf_counter()
    for number in range(1 if size == _SUBSCRIBERS else seconds * _CALLS_A_SECOND):
        await asyncio.sleep(max(0.0, started + number / _CALLS_A_SECOND - time.perf_counter()))
        events = [
            {
                "name": "ai_usage",
                "externalCustomerId": f"slow-{(number * size + index) % _SUBSCRIBERS}",
                "metadata": {"total_tokens": 1, "model": "m" * 100},
            }
            for index in range(size)
        ]
        query = "mutation ($e: [EventInput!]!) { eventsIngest(input: {events: $e}) { inserted } }"
        body = json.dumps({"query": query, "variables": {"e": events}}).encode()
        answer = await connection.post(body)
        assert f'"inserted":{size}'.encode() in answer, answer
    await connection.close()

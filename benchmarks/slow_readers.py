"""1,000 subscribers, 100 of which never read, while 1,000 events a second come: is memory bounded?

Each of the readers follows the usage of a customer of its own. Each of the others follows all
events, so that the server has a thousand messages a second for it that it does not take.
"""

import asyncio
import json
import time
from contextlib import AsyncExitStack
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from benchmarks.results import Result, percentile
from benchmarks.run import Run
from benchmarks.system import System, Tenant, running_system
from models import exact_json

NAME = "slow readers"
_SUBSCRIBERS = 1_000
_NEVER_READ = 100
_EVENTS_A_SECOND = 1_000
_CALLS_A_SECOND = 10
# By then the system's buffers for those who never read are full.
_FULL_SECONDS = 30
_PROTOCOL = Subprotocol("graphql-transport-ws")
_MEGABYTE = 1024 * 1024
_USAGE = """subscription ($customer: String!) {
  usageUpdated(externalCustomerId: $customer) { cursor customerMeter { consumedUnits } }
}"""
_INGEST = (
    "mutation ($events: [EventInput!]!) { eventsIngest(input: {events: $events}) { inserted } }"
)
_EVENTS = "subscription { eventsIngested { id name metadata customer { externalId } } }"


async def measure(run: Run) -> list[Result]:
    """Memory once the buffers are full, and at the end; and how soon the readers see usage."""
    seconds = 20 if run.quick else 90
    async with running_system(run.folder) as system, AsyncExitStack() as stack:
        tenant = await system.new_tenant(meters=1)
        usage = _Usage()
        await usage.send(system, tenant, 1, _SUBSCRIBERS)
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
            await _subscribe(socket, tenant.token, _customer(number) if reads else None)
            if reads:
                tasks.add(asyncio.create_task(usage.read(socket, number)))
        sending = asyncio.create_task(usage.send(system, tenant, seconds * _CALLS_A_SECOND))
        full = min(_FULL_SECONDS, seconds / 2)
        await asyncio.sleep(full)
        warm = system.memory("api")
        await sending
        end = system.memory("api")
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    delays = usage.delays
    return [
        Result(NAME, f"memory after {full:.0f} s", f"{warm / _MEGABYTE:.0f} MB"),
        Result(
            NAME,
            f"memory after {seconds} s",
            f"{end / _MEGABYTE:.0f} MB",
            aim="no more than 10% above",
            met=end < warm * 1.1,
        ),
        Result(
            NAME,
            f"{len(delays):,} updates to {_SUBSCRIBERS - _NEVER_READ} readers, p50 and p99",
            f"{percentile(delays, 0.5) * 1e3:.0f} ms, {percentile(delays, 0.99) * 1e3:.0f} ms",
        ),
    ]


class _Usage:
    """What was sent of each customer, and how long each reader waited for it."""

    def __init__(self) -> None:
        self.delays: list[float] = []
        self._answered: list[list[float]] = [[] for _ in range(_SUBSCRIBERS)]

    async def send(
        self,
        system: System,
        tenant: Tenant,
        calls: int,
        size: int = _EVENTS_A_SECOND // _CALLS_A_SECOND,
    ) -> None:
        """Sends calls of `size` events, each when it is due; every customer has one a second."""
        connection = await system.connect(tenant.token)
        started = time.perf_counter()
        for call in range(calls):
            await asyncio.sleep(max(0.0, started + call / _CALLS_A_SECOND - time.perf_counter()))
            numbers = [(call * size + index) % _SUBSCRIBERS for index in range(size)]
            body = exact_json.dumps({"query": _INGEST, "variables": {"events": _events(numbers)}})
            answer = await connection.post(body.encode())
            assert f'"inserted":{size}'.encode() in answer, answer
            for number in numbers:
                self._answered[number].append(time.perf_counter())
        await connection.close()

    async def read(self, socket: ClientConnection, number: int) -> None:
        """Follows a customer's usage: the n-th event makes n tokens."""
        async for text in socket:
            now = time.perf_counter()
            update = exact_json.loads(text)["payload"]["data"]["usageUpdated"]
            consumed = int(update["customerMeter"]["consumedUnits"])
            answered = self._answered[number]
            if consumed > 1:  # what was there before is no news
                # An update can overtake the answer; then there was no delay.
                at = answered[consumed - 1] if consumed <= len(answered) else now
                self.delays.append(now - at)


def _events(numbers: list[int]) -> list[dict[str, Any]]:
    return [
        {
            "name": "ai_usage",
            "externalCustomerId": _customer(number),
            "metadata": {"total_tokens": 1, "model": "m" * 100},
        }
        for number in numbers
    ]


def _customer(number: int) -> str:
    return f"slow-{number}"


async def _subscribe(socket: ClientConnection, token: str, customer: str | None) -> None:
    init = {"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}}
    await socket.send(json.dumps(init))
    await socket.recv()
    payload: dict[str, Any] = {"query": _EVENTS}
    if customer is not None:
        payload = {"query": _USAGE, "variables": {"customer": customer}}
    await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))

"""From the mutation's answer to the update at a subscriber, at a steady 200 events a second."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Iterator

from benchmarks.events import CUSTOMERS, bodies
from benchmarks.http_client import HttpConnection
from benchmarks.results import Result, percentile
from benchmarks.run import Run
from benchmarks.subscriber import subscribed
from benchmarks.system import System, running_system
from schema.ids import encode_id

NAME = "freshness"
_RATE = 200
_CONNECTIONS = 8
_LAST_UPDATE_SECONDS = 30
_AIMS = ((0.5, 0.100), (0.99, 0.500))


async def measure(run: Run) -> list[Result]:
    """Sends single events, each when it is due, whatever became of the ones before it."""
    async with running_system(run.folder) as system:
        await _delays(system, _RATE)
        delays = await _delays(system, _RATE * (10 if run.quick else 60))
    return [
        Result(
            NAME,
            f"p{share * 100:g} of {len(delays):,} events at {_RATE}/s",
            f"{percentile(delays, share) * 1000:.0f} ms",
            aim=f"< {aim * 1000:.0f} ms",
            met=percentile(delays, share) < aim,
        )
        for share, aim in _AIMS
    ]


class _Delays:
    """When the n-th event of a customer was answered, and when n were shown."""

    def __init__(self) -> None:
        self.answered: dict[tuple[str, int], float] = {}
        self.shown: dict[tuple[str, int], float] = {}
        self._answers: Counter[str] = Counter()
        self._shown: defaultdict[str, int] = defaultdict(int)

    def answer(self, customer: str) -> None:
        self._answers[customer] += 1
        self.answered[customer, self._answers[customer]] = time.perf_counter()

    def show(self, customer: str, consumed: int, now: float) -> None:
        for number in range(self._shown[customer] + 1, consumed + 1):
            self.shown[customer, number] = now
        self._shown[customer] = max(consumed, self._shown[customer])

    def seconds(self) -> list[float]:
        """An update can overtake the answer; then there was no delay."""
        return [max(0.0, self.shown[event] - at) for event, at in self.answered.items()]


async def _delays(system: System, count: int) -> list[float]:
    tenant = await system.new_tenant()
    delays = _Delays()
    connections = [await system.connect(tenant.token) for _ in range(_CONNECTIONS)]
    url = f"ws://127.0.0.1:{system.port}/graphql"
    counting = encode_id("Meter", tenant.meters[-1].id)
    async with subscribed(url, tenant.token, counting, delays.show):
        started = time.perf_counter()
        requests = enumerate(bodies(count, 1))
        await asyncio.gather(
            *(_send(connection, requests, started, delays) for connection in connections)
        )
        async with asyncio.timeout(_LAST_UPDATE_SECONDS):
            while len(delays.shown) < count:  # noqa: ASYNC110  # what is awaited is not ours
                await asyncio.sleep(0.01)
    for connection in connections:
        await connection.close()
    return delays.seconds()


async def _send(
    connection: HttpConnection,
    requests: Iterator[tuple[int, bytes]],
    started: float,
    delays: _Delays,
) -> None:
    for number, request in requests:
        await asyncio.sleep(max(0.0, started + number / _RATE - time.perf_counter()))
        answer = await connection.post(request)
        assert b'"inserted":1,' in answer, answer
        delays.answer(f"customer-{number % CUSTOMERS}")

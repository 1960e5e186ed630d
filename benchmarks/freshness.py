"""From the mutation's answer to the update at a subscriber, at a steady 200 events a second."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from benchmarks.events import CUSTOMERS, bodies
from benchmarks.http_client import HttpConnection
from benchmarks.results import Result, percentile
from benchmarks.run import Run
from benchmarks.subscriber import subscribed
from benchmarks.system import System, Tenant, running_system
from schema.ids import encode_id

NAME = "freshness"
RATE = 200
_CONNECTIONS = 8
_LAST_UPDATE_SECONDS = 30
_AIMS = ((0.5, 0.100), (0.99, 0.500))


async def measure(run: Run) -> list[Result]:
    """Sends single events, each when it is due, whatever became of the ones before it."""
    async with running_system(run.folder) as system:
        freshness = Freshness(system, await system.new_tenant())
        await freshness.delays(bodies(RATE, 1))
        delays = await freshness.delays(bodies(RATE * (10 if run.quick else 60), 1))
    return results(NAME, "", delays)


def results(benchmark: str, case: str, delays: list[float]) -> list[Result]:
    """The median and the 99th percentile, beside what they should be."""
    return [
        Result(
            benchmark,
            f"{case}p{share * 100:g} of {len(delays):,} events at {RATE}/s",
            f"{percentile(delays, share) * 1000:.0f} ms",
            aim=f"< {aim * 1000:.0f} ms",
            met=percentile(delays, share) < aim,
        )
        for share, aim in _AIMS
    ]


class Freshness:
    """Sends events of a tenant, and sees when the n-th event of each customer is shown.

    The tenant's last meter counts them one by one.
    """

    def __init__(self, system: System, tenant: Tenant) -> None:
        self._system = system
        self._tenant = tenant
        self._answered: dict[tuple[str, int], float] = {}
        self._shown_at: dict[tuple[str, int], float] = {}
        self._answers: Counter[str] = Counter()
        self._shown: defaultdict[str, int] = defaultdict(int)

    async def delays(self, requests: Iterable[bytes]) -> list[float]:
        """Sends requests of one event each; seconds from its answer until it was shown.

        An update can overtake the answer; then there was no delay.
        """
        self._answered.clear()
        self._shown_at.clear()
        system, token = self._system, self._tenant.token
        url = f"ws://127.0.0.1:{system.port}/graphql"
        counting = encode_id("Meter", self._tenant.meters[-1].id)
        connections = [await system.connect(token) for _ in range(_CONNECTIONS)]
        async with subscribed(url, token, counting, self._show):
            started = time.perf_counter()
            numbered = enumerate(requests)
            await asyncio.gather(*(self._send(each, numbered, started) for each in connections))
            async with asyncio.timeout(_LAST_UPDATE_SECONDS):
                while self._answered.keys() - self._shown_at.keys():  # noqa: ASYNC110  # another process's
                    await asyncio.sleep(0.01)
        for connection in connections:
            await connection.close()
        return [max(0.0, self._shown_at[event] - at) for event, at in self._answered.items()]

    async def _send(
        self, connection: HttpConnection, requests: Iterator[tuple[int, bytes]], started: float
    ) -> None:
        for number, request in requests:
            await asyncio.sleep(max(0.0, started + number / RATE - time.perf_counter()))
            answer = await connection.post(request)
            assert b'"inserted":1,' in answer, answer
            customer = CUSTOMERS[number % len(CUSTOMERS)]
            self._answers[customer] += 1
            self._answered[customer, self._answers[customer]] = time.perf_counter()

    def _show(self, customer: str, consumed: int, now: float) -> None:
        if customer not in CUSTOMERS:  # of history
            return
        for number in range(self._shown[customer] + 1, consumed + 1):
            self._shown_at[customer, number] = now
        self._shown[customer] = max(consumed, self._shown[customer])

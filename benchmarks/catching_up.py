"""A new meter counts a long history: how long it takes, and how fresh the others stay meanwhile."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

from benchmarks.events import bodies
from benchmarks.freshness import RATE, Freshness, results
from benchmarks.history import system_with_history
from benchmarks.http_client import HttpConnection
from benchmarks.results import Result
from benchmarks.run import Run
from models import exact_json

NAME = "catching up"
_EVENTS = 5_000_000
_BASELINE_SECONDS = 20
_LOOK_SECONDS = 0.5
_CREATE = """
mutation { meterCreate(input: {
    name: "New", aggregation: {function: SUM, property: "total_tokens"},
    filter: {clauses: [{clause: {property: "name", operator: EQUALS, text: "ai_usage"}}]}
}) { meter { id } } }
"""
_PROGRESS = "query ($id: ID!) { node(id: $id) { ... on Meter { progress { pendingEvents } } } }"


async def measure(run: Run) -> list[Result]:
    """Sends single events before and during it, each when it is due."""
    stored = _EVENTS // 20 if run.quick else _EVENTS
    async with system_with_history(run, stored) as (system, tenant):
        system.start("worker", "worker")
        freshness = Freshness(system, tenant)
        await freshness.delays(bodies(RATE, 1))
        before = await freshness.delays(bodies(RATE * _BASELINE_SECONDS, 1))
        catching_up = _CatchingUp(await system.connect(tenant.token))
        watching = asyncio.create_task(catching_up.watch())
        during = await freshness.delays(_while_running(watching))
        await watching
    return [
        Result(
            NAME,
            f"{stored:,} stored events, while {RATE}/s come",
            f"{catching_up.seconds:.0f} s, {stored / catching_up.seconds:,.0f}/s",
        ),
        Result(NAME, "progress seen", f"{len(catching_up.pending):,} steps"),
        *results(NAME, "before: ", before),
        *results(NAME, "meanwhile: ", during),
    ]


def _while_running(task: asyncio.Task[None]) -> Iterator[bytes]:
    while not task.done():
        yield from bodies(RATE, 1)


class _CatchingUp:
    """Makes a meter and looks at its progress until nothing is left."""

    def __init__(self, connection: HttpConnection) -> None:
        self._connection = connection
        self.pending: set[int] = set()
        self.seconds = 0.0

    async def watch(self) -> None:
        started = time.perf_counter()
        made = await self._ask(_CREATE, {})
        meter_id = made["meterCreate"]["meter"]["id"]
        while True:
            answer = await self._ask(_PROGRESS, {"id": meter_id})
            pending = answer["node"]["progress"]["pendingEvents"]
            self.pending.add(pending)
            # What came within the last moment is pending with every meter.
            if pending < RATE:
                break
            await asyncio.sleep(_LOOK_SECONDS)
        self.seconds = time.perf_counter() - started
        await self._connection.close()

    async def _ask(self, query: str, variables: dict[str, str]) -> dict[str, Any]:
        body = exact_json.dumps({"query": query, "variables": variables}).encode()
        answer = exact_json.loads(await self._connection.post(body))
        assert "errors" not in answer, answer
        data: dict[str, Any] = answer["data"]
        return data

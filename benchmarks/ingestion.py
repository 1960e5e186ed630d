"""Events a second through the mutation until three meters have counted them, beside the floor.

The floor is one bare connection; where several clients send, also as many connections as clients.
"""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tortoise.connection import get_connection

from benchmarks.events import COUNTS, RECEIPTS, bodies, cloud_event_batches
from benchmarks.floor import floor
from benchmarks.http_client import HttpConnection
from benchmarks.results import Result, median
from benchmarks.run import Run
from benchmarks.system import System, Tenant, running_system

NAME = "ingestion"
_ROUNDS = 3
_MEMORY_AIM = 150 * 1000 * 1000
_SINGLES_AIM = 800
_POLL_SECONDS = 0.005
_COUNT_SECONDS = 300


@dataclass(frozen=True)
class Case:
    """How many events are sent at a time, and how: by the mutation, or as CloudEvents."""

    batch: int
    clients: int
    events: int
    query: str = COUNTS
    as_cloud_events: bool = False

    def requests(self) -> Iterator[bytes]:
        """The bodies of the requests."""
        if self.as_cloud_events:
            return iter(cloud_event_batches(self.events, self.batch))
        return iter(bodies(self.events, self.batch, self.query))

    async def send(self, connection: HttpConnection, body: bytes) -> bytes:
        """Sends one of them and returns the answer."""
        if self.as_cloud_events:
            return await connection.post(body, "/events", "application/cloudevents-batch+json")
        return await connection.post(body)

    @property
    def title(self) -> str:
        """What the table calls it."""
        receipts = ", with receipts" if self.query is RECEIPTS else ""
        clients = "1 client" if self.clients == 1 else f"{self.clients} clients"
        return f"batches of {self.batch:,}, {clients}{receipts}"


_CASES = (
    Case(1, 1, 1_000),
    Case(1, 8, 4_000),
    Case(1, 32, 8_000),
    Case(100, 1, 20_000),
    Case(100, 8, 40_000),
    Case(1_000, 1, 50_000),
    Case(1_000, 8, 100_000),
    Case(1_000, 8, 100_000, RECEIPTS),
)


async def measure(run: Run) -> list[Result]:
    """Runs every case, in rounds that alternate with the floor."""
    async with running_system(run.folder) as system:
        # What is only slow the first time is not what is measured.
        await ingest(system, Case(100, 2, 2_000))
        results = [await _measure(system, case, run) for case in _CASES]
        memory = system.peak_memory("api")
    results.append(
        Result(
            NAME,
            "peak memory of the API process",
            f"{memory / 1e6:.0f} MB",
            aim=f"< {_MEMORY_AIM / 1e6:.0f} MB",
            met=memory < _MEMORY_AIM,
        )
    )
    return results


async def _measure(system: System, case: Case, run: Run) -> Result:
    accepted, counted, floors, wide_floors = [], [], [], []
    rounds = 1 if run.quick else _ROUNDS
    share = case.events // (4 if run.quick else rounds)
    requests = max(case.clients, share // case.batch)
    part = replace(case, events=requests * case.batch)
    for _ in range(rounds):
        floors.append(await floor(system, part.events, case.batch, 1))
        if case.clients > 1:
            wide_floors.append(await floor(system, part.events, case.batch, case.clients))
        stored_rate, counted_rate = await ingest(system, part)
        accepted.append(stored_rate)
        counted.append(counted_rate)
    rate, bare = median(counted), median(floors)
    beside, ratio = f"{bare:,.0f} events/s", f"{rate / bare:.2f}"
    if wide_floors:
        wide = median(wide_floors)
        beside += f"; on {case.clients} connections {wide:,.0f}"
        ratio += f"; {rate / wide:.2f}"
    aim, met = "", None
    if case.batch == 1_000:
        aim, met = "≥ 0.5 of the floor", rate >= bare / 2
    if case.batch == 1 and case.clients > 1:
        aim, met = f"≥ {_SINGLES_AIM}/s", rate >= _SINGLES_AIM
    return Result(
        NAME,
        case.title,
        f"{rate:,.0f} events/s ({median(accepted):,.0f} stored)",
        beside,
        ratio,
        aim,
        met,
    )


async def ingest(
    system: System, case: Case, tenant: Tenant | None = None, stored_before: int = 0
) -> tuple[float, float]:
    """Events a second until all are stored, and until all are counted.

    By a tenant that has stored so many events before; without it, by a new one.
    """
    tenant = tenant or await system.new_tenant()
    requests = case.requests()
    connections = [await system.connect(tenant.token) for _ in range(case.clients)]
    started = time.perf_counter()
    await asyncio.gather(*(_send(connection, requests, case) for connection in connections))
    stored = time.perf_counter() - started
    await until_counted(tenant, stored_before + case.events)
    counted = time.perf_counter() - started
    for connection in connections:
        await connection.close()
    for meter in tenant.meters:
        await meter.refresh_from_db()
        assert meter.counted_events == stored_before + case.events
    return case.events / stored, case.events / counted


async def _send(connection: HttpConnection, requests: Iterator[bytes], case: Case) -> None:
    expected = b'"inserted":%d,' % case.batch
    for request in requests:
        answer = await case.send(connection, request)
        assert expected in answer, answer[:500]


async def until_counted(tenant: Tenant, events: int) -> None:
    """Waits until the log has counted so many events."""
    async with asyncio.timeout(_COUNT_SECONDS):
        while True:
            rows = await get_connection("default").execute_query_dict(
                "SELECT events FROM event_log WHERE organization_id = $1",
                [tenant.organization.id],
            )
            if rows and rows[0]["events"] == events:
                return
            await asyncio.sleep(_POLL_SECONDS)

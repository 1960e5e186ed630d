"""What one tenant that takes all it can get costs another: its single events, and a small query.

Beside each figure stands the same of a quiet system, measured just before in the same run.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from benchmarks.events import bodies
from benchmarks.greedy import KINDS
from benchmarks.history import store_history
from benchmarks.http_client import HttpConnection
from benchmarks.results import Result, percentile
from benchmarks.run import Run
from benchmarks.system import System, Tenant, running_system
from models import Customer, CustomerSession
from schema.secrets import hash_secret, new_secret

NAME = "neighbours"
_HISTORY = 1_000_000
_MANY_METERS = 100
_SECONDS_BETWEEN = 0.02
_SECONDS_TO_SETTLE = 3.0
_EVENT_AIM = 0.150
_QUERY_AIM = 0.100
_READY_SECONDS = 120
_SMALL = b'{"query": "{ viewer { id name } meters(first: 3) { nodes { id name } } }"}'
_TITLES = {
    "ingest": "8 clients send 1,000 events a call",
    "previews": "25 previews at once",
    "where": "25 lists of events by their metadata at once",
    "events": "1,000 eventsIngested, 100 events/s",
    "usage": "a session asks for 1,000 usageUpdated, 5 events/s",
}
assert _TITLES.keys() == KINDS.keys()


@dataclass
class _Times:
    """How long the other tenant's requests took, in seconds."""

    events: list[float] = field(default_factory=list)
    queries: list[float] = field(default_factory=list)


async def measure(run: Run) -> list[Result]:
    """Each kind of neighbour in turn, with a quiet time before it."""
    seconds = 5 if run.quick else 20
    async with running_system(run.folder) as system:
        other, greedy = await system.new_tenant(), await system.new_tenant(meters=_MANY_METERS)
        system.stop("worker")
        await store_history(
            (reading := await system.new_tenant()).organization.id,
            _HISTORY // (5 if run.quick else 1),
        )
        system.start("worker", "worker")
        tokens = {
            "ingest": (await system.new_tenant()).token,
            "previews": reading.token,
            "where": reading.token,
            "events": (await system.new_tenant()).token,
            "usage": f"{await _session(greedy)},{greedy.token}",
        }
        await _times(system, other, 2)
        results = []
        for kind, token in tokens.items():
            quiet = await _times(system, other, seconds)
            async with _neighbour(kind, system.port, token):
                busy = await _times(system, other, seconds)
            results += _results(_TITLES[kind], quiet, busy)
    return results


def _results(title: str, quiet: _Times, busy: _Times) -> list[Result]:
    found = []
    for what, before, during, aim in (
        ("event", quiet.events, busy.events, _EVENT_AIM),
        ("query", quiet.queries, busy.queries, _QUERY_AIM),
    ):
        p99, quiet_p99 = percentile(during, 0.99), percentile(before, 0.99)
        found.append(
            Result(
                NAME,
                f"{title}: another's {what}, {len(during):,} times",
                f"{percentile(during, 0.5) * 1e3:.0f} ms p50, {p99 * 1e3:.0f} ms p99",
                f"quiet: {percentile(before, 0.5) * 1e3:.0f} and {quiet_p99 * 1e3:.0f} ms",
                f"{p99 / quiet_p99:.1f}",
                f"p99 < {aim * 1e3:.0f} ms",
                p99 < aim,
            )
        )
    return found


async def _times(system: System, tenant: Tenant, seconds: float) -> _Times:
    """Sends single events and small queries, one of each at a time, for so long."""
    times = _Times()
    requests = iter(bodies(int(seconds / _SECONDS_BETWEEN) + 1, 1))
    end = time.perf_counter() + seconds

    async def ask(body: bytes | None, taken: list[float]) -> None:
        connection: HttpConnection = await system.connect(tenant.token)
        while (started := time.perf_counter()) < end:
            answer = await connection.post(body or next(requests))
            taken.append(time.perf_counter() - started)
            assert b'"errors"' not in answer, answer
            await asyncio.sleep(_SECONDS_BETWEEN)
        await connection.close()

    await asyncio.gather(ask(None, times.events), ask(_SMALL, times.queries))
    return times


@asynccontextmanager
async def _neighbour(kind: str, port: int, token: str) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.greedy", kind, str(port), token),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(_READY_SECONDS):
            assert await process.stdout.readline() == b"ready\n"
        await asyncio.sleep(_SECONDS_TO_SETTLE)
        yield
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await asyncio.sleep(_SECONDS_TO_SETTLE)


async def _session(tenant: Tenant) -> str:
    """A session of a customer of `benchmarks.events`."""
    customer = await Customer.create(
        organization_id=tenant.organization.id, external_id="customer-0", name="Neighbour"
    )
    secret = new_secret()
    await CustomerSession.create(
        organization_id=tenant.organization.id,
        customer_id=customer.id,
        secret_hash=hash_secret(secret),
        expires_at=datetime.now(UTC) + timedelta(hours=1),
    )
    return secret

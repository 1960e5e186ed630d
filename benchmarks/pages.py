"""A page of events with their customers, and a dashboard's query, beside bare SQL and orjson."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Any

import asyncpg
import orjson

from benchmarks.history import DAYS, end_of_history, store_history
from benchmarks.results import Result, percentile
from benchmarks.run import Run
from benchmarks.system import System, Tenant, running_system

NAME = "pages"
_EVENTS = 200_000
_METERS = 10
_CLIENTS = 8
_SECONDS = 10.0

_PAGE = """
{ events(first: 100) { nodes {
    id name timestamp metadata customer { id externalId name }
} } }
"""
_BARE_PAGE = """
SELECT e.id, e.name, e.timestamp, e.metadata, c.id AS customer_id, c.external_id, c.name AS customer
FROM event e
JOIN customer c ON c.organization_id = e.organization_id AND c.id = e.customer_id
WHERE e.organization_id = $1
ORDER BY e.timestamp DESC, e.id DESC LIMIT 100
"""
_DASHBOARD = """
query Dashboard($start: DateTime!, $end: DateTime!) {
  meters(first: 10) { nodes {
    id name unit
    quantities(start: $start, end: $end, interval: DAY) { points { start quantity } total }
  } }
}
"""
_BARE_DASHBOARD = """
SELECT meter_id, date_trunc('day', bucket) AS day, sum(sum), sum(count)
FROM usage_bucket
WHERE organization_id = $1 AND customer_id = '00000000-0000-0000-0000-000000000000'
  AND bucket >= $2 AND bucket < $3
GROUP BY meter_id, day
"""

Ask = Callable[[], Awaitable[object]]


async def measure(run: Run) -> list[Result]:
    """Each at eight clients for some seconds."""
    count = _EVENTS // 10 if run.quick else _EVENTS
    seconds = _SECONDS / 5 if run.quick else _SECONDS
    end = end_of_history()
    span = {"start": end - timedelta(days=DAYS), "end": end}
    async with running_system(run.folder) as system:
        system.stop("worker")
        tenant = await system.new_tenant(meters=_METERS)
        await store_history(tenant.organization.id, count)
        return [
            await _compare(
                system, tenant, "100 events with customer", (_PAGE, {}), (_BARE_PAGE, ()), seconds
            ),
            await _compare(
                system,
                tenant,
                f"dashboard: {_METERS} meters, {DAYS} daily points, totals",
                (_DASHBOARD, span),
                (_BARE_DASHBOARD, tuple(span.values())),
                seconds,
            ),
        ]


async def _compare(
    system: System,
    tenant: Tenant,
    case: str,
    query: tuple[str, dict[str, Any]],
    bare: tuple[str, tuple[Any, ...]],
    seconds: float,
) -> Result:
    body = orjson.dumps({"query": query[0], "variables": query[1]})
    connections = [await system.connect(tenant.token) for _ in range(_CLIENTS)]
    assert b'"errors"' not in await connections[0].post(body)
    rate, slow = await _load(
        [partial(connection.post, body) for connection in connections], seconds
    )
    bare_rate, bare_slow = await _bare(system, tenant, *bare, seconds)
    for connection in connections:
        await connection.close()
    return Result(
        NAME,
        f"{case}, {_CLIENTS} clients",
        f"{rate:,.0f}/s, p99 {slow * 1e3:.0f} ms",
        beside=f"bare {bare_rate:,.0f}/s, p99 {bare_slow * 1e3:.0f} ms",
        ratio=f"{rate / bare_rate:.2f}",
    )


async def _bare(
    system: System, tenant: Tenant, sql: str, arguments: tuple[Any, ...], seconds: float
) -> tuple[float, float]:
    """The SQL alone, serialised, without HTTP, GraphQL or tokens."""
    connections = [await system.bare_connection() for _ in range(_CLIENTS)]

    async def ask(connection: asyncpg.Connection) -> bytes:
        rows = await connection.fetch(sql, tenant.organization.id, *arguments)
        return orjson.dumps([tuple(row) for row in rows], default=str)

    try:
        return await _load([partial(ask, connection) for connection in connections], seconds)
    finally:
        for connection in connections:
            await connection.close()


async def _load(clients: list[Ask], seconds: float) -> tuple[float, float]:
    """Requests a second, and the 99th percentile of what one takes, in seconds."""
    taken: list[float] = []
    end = time.perf_counter() + seconds

    async def client(ask: Ask) -> None:
        while (started := time.perf_counter()) < end:
            await ask()
            taken.append(time.perf_counter() - started)

    await asyncio.gather(*(client(ask) for ask in clients))
    return len(taken) / seconds, percentile(taken, 0.99)

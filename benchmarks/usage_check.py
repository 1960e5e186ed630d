"""`usageCheck` of 10,000 subscribed customers in turn, as an application asks it."""

import asyncio
import itertools
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import orjson

from benchmarks.results import Result, median, percentile
from benchmarks.run import Run
from benchmarks.subscribed import plan, subscribe, use
from benchmarks.system import System, Tenant, running_system
from billing.periods.intervals import Recurrence, RecurringInterval, period_at
from schema.ids import encode_id

NAME = "usageCheck"
_CUSTOMERS = 10_000
_CLIENTS = 8
_SECONDS = 20.0
_PAUSE_SECONDS = 0.04
_AIM_SECONDS = 0.005

_CHECK = """query ($who: String!, $meter: ID!) {
  usageCheck(externalCustomerId: $who, meterId: $meter, units: 100) {
    allowed balance hasMeteredPrice
  }
}"""
_THROUGH = _CHECK.replace("hasMeteredPrice", "hasMeteredPrice completeThrough")


async def measure(run: Run) -> list[Result]:
    """One client, eight that pause between two checks, and eight that do not."""
    count = _CUSTOMERS // 10 if run.quick else _CUSTOMERS
    seconds = _SECONDS / 5 if run.quick else _SECONDS
    async with running_system(run.folder) as system:
        tenant = await system.new_tenant(meters=1)
        period = period_at(
            datetime.now(UTC) - timedelta(days=20), Recurrence(RecurringInterval.MONTH), 0
        )
        await subscribe(tenant, await plan(tenant), period, count)
        await use(system, tenant, period)
        await _checks(system, tenant, _CHECK, count, _CLIENTS, 1, 0)
        results = []
        for case, query, clients, pause in (
            ("1 client", _CHECK, 1, 0.0),
            (f"{_CLIENTS} clients, each after a pause of 40 ms", _CHECK, _CLIENTS, _PAUSE_SECONDS),
            (f"{_CLIENTS} clients without a pause", _CHECK, _CLIENTS, 0.0),
            (
                f"{_CLIENTS} clients after 40 ms, completeThrough",
                _THROUGH,
                _CLIENTS,
                _PAUSE_SECONDS,
            ),
        ):
            taken = await _checks(system, tenant, query, count, clients, seconds, pause)
            slow, is_aimed = percentile(taken, 0.99), query is _CHECK
            results.append(
                Result(
                    NAME,
                    f"{count:,} customers, {case}, p50 and p99",
                    f"{median(taken) * 1e3:.1f} ms, {slow * 1e3:.1f} ms"
                    f" at {len(taken) / seconds:,.0f}/s",
                    aim=f"p99 < {_AIM_SECONDS * 1e3:.0f} ms" if is_aimed else "",
                    met=slow < _AIM_SECONDS if is_aimed else None,
                )
            )
        return results


async def _checks(
    system: System,
    tenant: Tenant,
    query: str,
    customers: int,
    clients: int,
    seconds: float,
    pause: float,
) -> list[float]:
    """The seconds that each check took."""
    taken: list[float] = []
    bodies = _bodies(tenant, query, customers)
    end = time.perf_counter() + seconds

    async def client() -> None:
        connection = await system.connect(tenant.token)
        while time.perf_counter() < end:
            body = next(bodies)
            started = time.perf_counter()
            answer = await connection.post(body)
            taken.append(time.perf_counter() - started)
            assert b'"allowed":true' in answer, answer
            await asyncio.sleep(pause)
        await connection.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    return taken


def _bodies(tenant: Tenant, query: str, customers: int) -> Iterator[bytes]:
    meter = encode_id("Meter", tenant.meters[0].id)
    for number in itertools.count():
        # A step that leads to every customer, far from the one before.
        who = f"customer-{number * 617 % customers}"
        yield orjson.dumps({"query": query, "variables": {"who": who, "meter": meter}})

"""The customers with the most usage in 30 days: the first request for a range, and later ones."""

import time
from datetime import timedelta
from typing import Any

from benchmarks.asking import Asking
from benchmarks.history import DAYS, end_of_history, store_batch, system_with_history
from benchmarks.results import Result, median, percentile
from benchmarks.run import Run
from metering.counting.log import advance
from schema.ids import encode_id

NAME = "topCustomers"
_EVENTS = 1_000_000
_CUSTOMERS = 10_000
_CALLS = 50
_ADDED = 1_000
_ROUNDS = 5
_AIM_SECONDS = 0.05

_TOP = """query ($id: ID!, $start: DateTime!, $end: DateTime!) { meter(id: $id) {
  topCustomers(start: $start, end: $end) { quantity customer { externalId } }
} }"""


async def measure(run: Run) -> list[Result]:
    """One client; in the last case, events are counted between the requests."""
    count = _EVENTS // 10 if run.quick else _EVENTS
    async with system_with_history(run, count, meters=1, customers=_CUSTOMERS) as (system, tenant):
        client = Asking(await system.connect(tenant.token))
        end = end_of_history()
        variables = {
            "id": encode_id("Meter", tenant.meters[0].id),
            "start": end - timedelta(days=DAYS),
            "end": end,
        }
        started = time.perf_counter()
        await client.ask(_TOP, variables)
        results = [_result(f"{count:,} events, the first time", [time.perf_counter() - started])]
        again = await client.seconds(_TOP, variables, _CALLS)
        results.append(_result(f"{count:,} events, again", again, _AIM_SECONDS))
        since = []
        for _ in range(_ROUNDS):
            await store_batch(tenant.organization.id, _ADDED, timedelta(days=DAYS))
            await advance(tenant.organization.id)
            since += await client.seconds(_TOP, variables, _CALLS // _ROUNDS)
        case = f"again, up to {_ADDED * _ROUNDS:,} events since"
        results.append(_result(case, since, _AIM_SECONDS))
        await client.close()
        return results


def _result(case: str, taken: list[float], aim: float | None = None) -> Result:
    p50, p99 = median(taken), percentile(taken, 0.99)
    measured: dict[str, Any] = {"measured": f"{p50 * 1e3:.1f} ms"}
    if aim is not None:
        measured = {
            "measured": f"{p50 * 1e3:.1f} ms, {p99 * 1e3:.1f} ms",
            "aim": f"p50 < {aim * 1e3:.0f} ms",
            "met": p50 < aim,
        }
    return Result(NAME, f"30 days, {_CUSTOMERS:,} customers, {case}", **measured)

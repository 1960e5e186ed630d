"""Quantities of 30 days by hour, beside one aggregate over the raw events."""

import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tortoise.connection import get_connection

from benchmarks.history import DAYS, end_of_history, system_with_history
from benchmarks.results import Result, median, percentile
from benchmarks.run import Run
from benchmarks.system import Tenant
from metering.language.definition import METER_COLUMNS, meter_definition
from metering.usage.ranges import Quantities, usage
from metering.usage.windows import Interval, windows, zone_of
from models import Customer

NAME = "quantities"
_EVENTS = 1_000_000
_CALLS = 100
_RAW_CALLS = 5
_AIM_SECONDS = 0.02
_AIM_RATIO = 20

_RAW = """
SELECT date_trunc('hour', timestamp) AS hour, sum((metadata->>'total_tokens')::numeric)
FROM event
WHERE organization_id = $1 AND name = 'ai_usage' AND timestamp >= $2 AND timestamp < $3
  AND ($4::uuid IS NULL OR customer_id = $4)
GROUP BY hour
"""

Ask = Callable[[], Awaitable[Any]]


async def measure(run: Run) -> list[Result]:
    """For everybody, and for one customer."""
    count = _EVENTS // 10 if run.quick else _EVENTS
    async with system_with_history(run, count, meters=1) as (_system, tenant):
        customer = await Customer.filter(organization_id=tenant.organization.id).first()
        assert customer is not None
        return [
            await _compare(tenant, count, "everybody", None),
            await _compare(tenant, count, "one customer", customer.id),
        ]


async def _compare(tenant: Tenant, count: int, who: str, customer_id: UUID | None) -> Result:
    connection = get_connection("default")
    end = end_of_history()
    start = end - timedelta(days=DAYS)
    rows = await connection.execute_query_dict(
        f"SELECT {METER_COLUMNS} FROM meter WHERE id = $1",
        [tenant.meters[0].id],
    )
    meter = meter_definition(rows[0])
    hours = windows(start, end, Interval.HOUR, zone_of("UTC"))

    async def from_buckets() -> Quantities:
        return await usage(connection, meter, hours, customer_id)

    async def from_events() -> list[dict[str, Any]]:
        return await connection.execute_query_dict(
            _RAW, [meter.organization_id, start, end, customer_id]
        )

    answer = await from_buckets()
    _check(await from_events(), answer, hours[0].start)
    taken = [await _seconds(from_buckets) for _ in range(_CALLS)]
    raw = median([await _seconds(from_events) for _ in range(_RAW_CALLS)])
    ratio = raw / median(taken)
    return Result(
        NAME,
        f"30 days by hour, {who}, {count:,} events, p50 and p99",
        f"{median(taken) * 1e3:.1f} ms, {percentile(taken, 0.99) * 1e3:.1f} ms",
        beside=f"{raw * 1e3:.0f} ms raw",
        ratio=f"{ratio:.1f}x",
        aim=f"< {_AIM_SECONDS * 1e3:.0f} ms, {_AIM_RATIO}x",
        met=median(taken) < _AIM_SECONDS and ratio >= _AIM_RATIO,
    )


def _check(raw: list[dict[str, Any]], answer: Quantities, first: datetime) -> None:
    """Both ways say the same."""
    sums = {row["hour"]: row["sum"] for row in raw}
    for number, point in enumerate(answer.points):
        assert sums.get(first + timedelta(hours=number), 0) == point.quantity


async def _seconds(ask: Ask) -> float:
    started = time.perf_counter()
    await ask()
    return time.perf_counter() - started

"""Usage by two dimensions of ten values: what reading it takes, and what counting it costs."""

import time
from datetime import timedelta
from uuid import UUID

from tortoise.connection import get_connection

from benchmarks.history import DAYS, end_of_history, store_batch, store_history
from benchmarks.results import Result, median, percentile
from benchmarks.run import Run
from benchmarks.system import running_system
from metering.counting.log import advance
from metering.language.aggregations import Aggregation, AggregationFunction
from metering.language.definition import definition_of
from metering.language.filters import Clause, ClauseOperator, Filter
from metering.meters import create_meter
from metering.usage.grouping import Grouping
from metering.usage.groups import grouped_usage
from metering.usage.windows import Interval, windows, zone_of
from models import Customer, Meter

NAME = "dimensions"
_EVENTS = 1_000_000
_DIMENSIONS = ("kind", "region")
_CALLS = 50
_AIM_SECONDS = 0.03
_STEP_EVENTS = 1_000
_STEPS = 40
_JUST_NOW = timedelta(seconds=10)
_AIM_RATIO = 2


async def measure(run: Run) -> list[Result]:
    """Reading 30 days by day, and counting beside a meter without dimensions."""
    count = _EVENTS // 10 if run.quick else _EVENTS
    async with running_system(run.folder) as system:
        system.stop("worker")
        plain = (await system.new_tenant(meters=0)).organization.id
        split = (await system.new_tenant(meters=0)).organization.id
        await _meter(plain, ())
        meter = await _meter(split, _DIMENSIONS)
        await store_history(plain, count // 10)
        await store_history(split, count)
        customer = await Customer.filter(organization_id=split).first()
        assert customer is not None
        read = [
            await _read(meter, count, who, zone, customer_id, by)
            for who, customer_id in (("all customers", None), ("one customer", customer.id))
            for zone in ("UTC", "Europe/Berlin", "Asia/Kolkata")
            for by in (_DIMENSIONS, _DIMENSIONS[:1])
        ]
        return [*read, await _cost(plain, split)]


async def _meter(organization_id: UUID, dimensions: tuple[str, ...]) -> Meter:
    used = Filter(clauses=(Clause("name", ClauseOperator.EQUALS, "ai_usage"),))
    tokens = Aggregation(AggregationFunction.SUM, "total_tokens")
    return await create_meter(organization_id, "Tokens", None, used, tokens, dimensions)


async def _read(  # what is asked for, piece by piece
    meter: Meter, count: int, who: str, zone: str, customer_id: UUID | None, by: tuple[str, ...]
) -> Result:
    await meter.refresh_from_db()
    definition = definition_of(meter)
    end = end_of_history()
    days = windows(end - timedelta(days=DAYS), end, Interval.DAY, zone_of(zone))
    taken = []
    for _ in range(_CALLS):
        started = time.perf_counter()
        found = await grouped_usage(
            get_connection("default"), definition, days, Grouping(by), customer_id
        )
        taken.append(time.perf_counter() - started)
        totals = [group.usage.total.quantity or 0 for group in found.groups]
        assert sum(totals) == found.usage.total.quantity
        assert len(found.groups) <= 10 ** len(by)
    return Result(
        NAME,
        f"30 days by day, {who}, {len(by)} of 2 dimensions of 10 values, {zone}, {count:,} events",
        f"{median(taken) * 1e3:.1f} ms, {percentile(taken, 0.99) * 1e3:.1f} ms",
        aim=f"< {_AIM_SECONDS * 1e3:.0f} ms",
        met=median(taken) < _AIM_SECONDS,
    )


async def _cost(plain: UUID, split: UUID) -> Result:
    """Counts in turns, so that both meet the same noise."""
    taken: dict[UUID, list[float]] = {plain: [], split: []}
    for _ in range(_STEPS):
        for organization_id, times in taken.items():
            await store_batch(organization_id, _STEP_EVENTS, _JUST_NOW)
            started = time.perf_counter()
            step = await advance(organization_id)
            times.append(time.perf_counter() - started)
            assert step is not None
            assert step.events == _STEP_EVENTS
    with_dimensions, without = (median(taken[each]) / _STEP_EVENTS for each in (split, plain))
    return Result(
        NAME,
        "counting an event with 2 dimensions of 10 values, beside a meter without",
        f"{with_dimensions * 1e6:.1f} µs",
        beside=f"{without * 1e6:.1f} µs",
        ratio=f"{with_dimensions / without:.2f}",
        aim=f"≤ {_AIM_RATIO}",
        met=with_dimensions / without <= _AIM_RATIO,
    )

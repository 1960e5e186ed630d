"""What counting an event costs: with much stored, and with many meters that it does not concern."""

import time
from datetime import timedelta
from uuid import UUID

from benchmarks.history import store_batch, store_history, system_with_history
from benchmarks.results import Result, median
from benchmarks.run import Run
from benchmarks.system import Tenant
from metering.counting.log import advance
from metering.language.aggregations import Aggregation, AggregationFunction
from metering.language.filters import Clause, ClauseOperator, Filter
from metering.meters import create_meter

NAME = "counting"
_FEW, _MANY = 100_000, 5_000_000
_METERS = 100
_STEP_EVENTS = 1_000
_STEPS = 30
# Events come soon after they happen: into the buckets of a quarter of an hour or two.
_JUST_NOW = timedelta(seconds=10)
_AIM = 1.25


async def measure(run: Run) -> list[Result]:
    """The cost of an event, beside the same under easier conditions in the same run."""
    many = _MANY // 20 if run.quick else _MANY
    async with system_with_history(run, _FEW) as (_system, tenant):
        organization_id = tenant.organization.id
        few = await _cost(organization_id)
        await _add_meters(tenant, _METERS - len(tenant.meters))
        crowded = await _cost(organization_id)
        await store_history(organization_id, many - _FEW)
        full = await _cost(organization_id)
    return [
        _result(f"an event, {_METERS} meters, 3 concerned, beside 3 meters", crowded, few),
        _result(f"an event, {many:,} stored, beside {_FEW:,}", full, crowded),
    ]


def _result(case: str, measured: float, beside: float) -> Result:
    ratio = measured / beside
    return Result(
        NAME,
        case,
        f"{measured * 1e6:.1f} µs",
        beside=f"{beside * 1e6:.1f} µs",
        ratio=f"{ratio:.2f}",
        aim=f"≤ {_AIM}",
        met=ratio <= _AIM,
    )


async def _cost(organization_id: UUID) -> float:
    """Seconds an event, counted by three meters in steps of a thousand."""
    taken = []
    for _ in range(_STEPS):
        await store_batch(organization_id, _STEP_EVENTS, _JUST_NOW)
        started = time.perf_counter()
        step = await advance(organization_id)
        taken.append(time.perf_counter() - started)
        assert step is not None
        assert step.events == _STEP_EVENTS
    return median(taken) / _STEP_EVENTS


async def _add_meters(tenant: Tenant, count: int) -> None:
    for number in range(count):
        await create_meter(
            tenant.organization.id,
            f"Other {number}",
            None,
            Filter(clauses=(Clause("name", ClauseOperator.EQUALS, f"other_{number}"),)),
            Aggregation(AggregationFunction.COUNT),
        )

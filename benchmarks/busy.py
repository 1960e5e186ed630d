"""What counting costs in one busy organization: many customers who all use its meters now."""

import time
from datetime import timedelta
from uuid import UUID

from benchmarks.history import store_batch, system_with_history
from benchmarks.results import Result, median
from benchmarks.run import Run
from metering.counting.log import advance

NAME = "busy"
_CUSTOMERS = 5_000
_EACH_ITS_OWN, _MANY = 10_000, 100_000
_STEP_EVENTS = 10_000
_STEPS = 20
_AIM_SECONDS = 40e-6
_AIM_RATIO = 1.5
# Events come soon after they happen: into the buckets of a quarter of an hour or two.
_JUST_NOW = timedelta(seconds=10)


async def measure(run: Run) -> list[Result]:
    """How long a step holds the log's lock, for each of its events, with three meters."""
    steps = _STEPS // 4 if run.quick else _STEPS
    cost = await _cost(run, _CUSTOMERS, steps)
    beside = await _cost(run, _EACH_ITS_OWN, steps)
    many = await _cost(run, _MANY, steps)
    return [
        Result(
            NAME,
            f"an event under the log's lock, 3 meters, {_CUSTOMERS:,} customers",
            f"{cost * 1e6:.1f} µs",
            aim=f"≤ {_AIM_SECONDS * 1e6:.0f} µs",
            met=cost <= _AIM_SECONDS,
        ),
        # Twice as many customers in a step: each of its events has another customer.
        Result(
            NAME,
            f"the same, {_MANY:,} customers, beside {_EACH_ITS_OWN:,}",
            f"{many * 1e6:.1f} µs",
            beside=f"{beside * 1e6:.1f} µs",
            ratio=f"{many / beside:.2f}",
            aim=f"≤ {_AIM_RATIO}",
            met=many / beside <= _AIM_RATIO,
        ),
    ]


async def _cost(run: Run, customers: int, steps: int) -> float:
    """Seconds an event. The first steps are not measured: each customer has used the meters."""
    async with system_with_history(run, customers, 3, customers) as (_system, tenant):
        organization_id = tenant.organization.id
        for _ in range(customers // _STEP_EVENTS + 1):
            await _step(organization_id)
        taken = [await _step(organization_id) for _ in range(steps)]
    return median(taken) / _STEP_EVENTS


async def _step(organization_id: UUID) -> float:
    """Seconds for a step: from taking the log's lock to the commit."""
    await store_batch(organization_id, _STEP_EVENTS, _JUST_NOW)
    started = time.perf_counter()
    step = await advance(organization_id)
    taken = time.perf_counter() - started
    assert step is not None
    assert step.events == _STEP_EVENTS
    return taken

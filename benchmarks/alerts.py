"""What alerts cost counting: a step with 100 of them on a meter, beside one without, in turns."""

import time
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from benchmarks.history import store_batch, system_with_history
from benchmarks.results import Result, median
from benchmarks.run import Run
from billing.alerts.life import AlertDraft, create_alert, delete_alert
from metering.alerts.kinds import UsageAlertKind
from metering.counting.log import advance
from models import AlertTrigger, Meter, UsageAlert

NAME = "alerts"
_CUSTOMERS = 5_000
_ALERTS = 100
_ROUNDS = 40
# Events come soon after they happen: into the buckets of a quarter of an hour or two.
_JUST_NOW = timedelta(seconds=10)
_AIM = 1.10
_FAR = Decimal(10**12)


async def measure(run: Run) -> list[Result]:
    """The cost of a step in which every customer of a meter has used it."""
    rounds = _ROUNDS // 4 if run.quick else _ROUNDS
    async with system_with_history(run, 10 * _CUSTOMERS, 1, _CUSTOMERS) as (_system, tenant):
        organization_id = tenant.organization.id
        [meter] = await Meter.filter(organization_id=organization_id)
        # Nobody is near a threshold, which is usual; then some customers reach one in each step.
        far = [_FAR + number for number in range(_ALERTS)]
        near = [Decimal(round(1.3**number)) for number in range(_ALERTS)]
        return [
            await _compared(organization_id, meter, thresholds, rounds)
            for thresholds in (far, near)
        ]


async def _compared(
    organization_id: UUID, meter: Meter, thresholds: Sequence[Decimal], rounds: int
) -> Result:
    """Steps with alerts at these thresholds, beside steps without."""
    alerts = [
        await create_alert(
            organization_id,
            AlertDraft(f"{threshold}", UsageAlertKind.CONSUMED_UNITS, threshold, meter.id, None),
        )
        for threshold in thresholds
    ]
    taken: dict[bool, list[float]] = {True: [], False: []}
    before = await AlertTrigger.filter(organization_id=organization_id).count()
    for number in range(2 * rounds):
        has_alerts = number % 4 in {0, 3}  # neither always comes first
        of_meter = UsageAlert.filter(organization_id=organization_id)
        await of_meter.update(is_enabled=has_alerts)
        taken[has_alerts].append(await _step(organization_id))
    triggered = await AlertTrigger.filter(organization_id=organization_id).count() - before
    for alert in alerts:
        await delete_alert(organization_id, alert.id)
    with_alerts, without = median(taken[True]), median(taken[False])
    ratio = with_alerts / without
    number_triggered = triggered // rounds
    return Result(
        NAME,
        f"a step, {_CUSTOMERS:,} customers, {_ALERTS} alerts, {number_triggered} trigger",
        f"{with_alerts * 1e3:.1f} ms",
        beside=f"{without * 1e3:.1f} ms",
        ratio=f"{ratio:.2f}",
        aim=f"≤ {_AIM}",
        met=ratio <= _AIM,
    )


async def _step(organization_id: UUID) -> float:
    """Seconds for a step in which each customer has one event."""
    await store_batch(organization_id, _CUSTOMERS, _JUST_NOW)
    started = time.perf_counter()
    step = await advance(organization_id)
    taken = time.perf_counter() - started
    assert step is not None
    assert step.events == _CUSTOMERS
    return taken

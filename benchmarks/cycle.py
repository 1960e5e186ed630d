"""Subscriptions that are all due at one instant, and what the estimate of one takes."""

import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

from benchmarks.results import Result, percentile
from benchmarks.run import Run
from benchmarks.subscribed import plan, subscribe, use
from benchmarks.system import Tenant, running_system
from billing.invoicing.estimates import upcoming_invoices
from billing.periods.intervals import Recurrence, RecurringInterval, period_at
from billing.subscriptions.cycle import run_cycle
from models import CustomerSubscription, Invoice

NAME = "cycle"
_SUBSCRIPTIONS = 10_000
_AIM_SECONDS = 60
_ESTIMATES = 200
_ESTIMATE_AIM = 0.02


async def measure(run: Run) -> list[Result]:
    """Turns every subscription once: closed, carried over, granted, invoiced."""
    count = _SUBSCRIPTIONS // 10 if run.quick else _SUBSCRIPTIONS
    async with running_system(run.folder) as system:
        tenant = await system.new_tenant(meters=1)
        product = await plan(tenant)
        now = datetime.now(UTC)
        current = period_at(now - timedelta(days=20), Recurrence(RecurringInterval.MONTH), 0)
        subscriptions = await subscribe(tenant, product, current, count)
        await use(system, tenant, current)
        estimates = await _estimates(tenant, subscriptions)
        started = time.perf_counter()
        report = await run_cycle(current.end, tenant.organization.id)
        seconds = time.perf_counter() - started
        assert report.renewed == count
        assert await Invoice.filter(organization_id=tenant.organization.id).count() == count
    slow = percentile(estimates, 0.99)
    return [
        Result(
            NAME,
            f"{count:,} subscriptions due at one instant",
            f"{seconds:.1f} s",
            aim=f"< {_AIM_SECONDS} s",
            met=seconds < _AIM_SECONDS,
        ),
        Result(
            NAME,
            "upcomingInvoice, p50 and p99",
            f"{percentile(estimates, 0.5) * 1e3:.1f} ms, {slow * 1e3:.1f} ms",
            aim=f"< {_ESTIMATE_AIM * 1e3:.0f} ms",
            met=slow < _ESTIMATE_AIM,
        ),
    ]


async def _estimates(tenant: Tenant, subscriptions: list[CustomerSubscription]) -> list[float]:
    taken = []
    for one in subscriptions[:_ESTIMATES]:
        key: UUID = one.id
        started = time.perf_counter()
        found = await upcoming_invoices(tenant.organization.id, [key])
        taken.append(time.perf_counter() - started)
        assert found[key].lines
    return taken

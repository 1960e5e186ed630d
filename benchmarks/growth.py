"""Events a second with 10,000,000 stored, with their external ids, beside the same with 100,000."""

from datetime import timedelta

from tortoise.connection import get_connection

from benchmarks.floor import floor
from benchmarks.history import BATCH, end_of_history, store_batch
from benchmarks.ingestion import Case, ingest, until_counted
from benchmarks.results import Result, median
from benchmarks.run import Run
from benchmarks.system import System, Tenant, running_system
from metering.months import make_months

NAME = "growth"
_FEW, _MANY = 100_000, 10_000_000
_HISTORY = timedelta(days=300)
# Of which the worker counts the last ones before more are stored.
_BATCHES_AT_ONCE = 50
_CASE = Case(1_000, 8, 50_000)
_ROUNDS = 4
_AIM = 0.9


async def measure(run: Run) -> list[Result]:
    """The rate of one organization before and after it has stored many events."""
    many = _MANY // 20 if run.quick else _MANY
    async with running_system(run.folder) as system:
        tenant = await system.new_tenant()
        await ingest(system, Case(1_000, 8, _FEW), tenant)
        stored = _FEW
        few, few_floor = await _rates(system, tenant, stored)
        stored += _ROUNDS * _CASE.events
        await _store(tenant, many - stored, stored)
        full, full_floor = await _rates(system, tenant, many)
    ratio = full / few
    return [
        Result(
            NAME,
            f"batches of 1,000, 8 clients, {many:,} stored, beside {_FEW:,}",
            f"{full:,.0f} events/s ({full / full_floor:.2f} of the floor)",
            beside=f"{few:,.0f} events/s ({few / few_floor:.2f})",
            ratio=f"{ratio:.2f}",
            aim=f"≥ {_AIM}",
            met=ratio >= _AIM,
        )
    ]


async def _rates(system: System, tenant: Tenant, stored: int) -> tuple[float, float]:
    """Events a second until they are counted, and those of the floor in between."""
    rates, floors = [], []
    for number in range(_ROUNDS):
        floors.append(await floor(system, _CASE.events, _CASE.batch, 1))
        _stored_rate, rate = await ingest(system, _CASE, tenant, stored + number * _CASE.events)
        rates.append(rate)
    return median(rates), median(floors)


async def _store(tenant: Tenant, count: int, before: int) -> None:
    """Stores events of the last months as the API would, and waits until they are counted.

    They come in the order in which they happened, as those of years do.
    """
    end = end_of_history()
    await make_months(end - timedelta(days=ago) for ago in range(_HISTORY.days + 1))
    stored = 0
    while stored < count:
        for _ in range(_BATCHES_AT_ONCE):
            part = min(BATCH, count - stored)
            if part:
                stored += part
                through = end - _HISTORY * (1 - stored / count)
                over = _HISTORY * (part / count)
                first = before + stored - part
                await store_batch(tenant.organization.id, part, over, through, first)
        await until_counted(tenant, before + stored)
    await get_connection("default").execute_query("VACUUM ANALYZE")

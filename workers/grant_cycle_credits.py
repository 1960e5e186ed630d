"""The cycle as a job: periods turned, credits granted, invoices made, as soon as they are due."""

import time
from typing import Any

import structlog
from arq import cron
from arq.connections import ArqRedis
from arq.cron import CronJob
from redis.exceptions import RedisError

from billing.cycle import CycleReport, run_cycle
from metering.wakeup import announce
from workers.outages import outlives_database

_log = structlog.get_logger(__name__)

_EVERY_TEN_SECONDS = set(range(0, 60, 10))
# A cycle that was away for long has much to do; what a cut-off run leaves, the next one does.
_TIMEOUT_SECONDS = 3_600


@outlives_database
async def grant_cycle_credits(ctx: dict[str, Any]) -> None:
    """The cron job of arq: does all that is due. Any number may run at once."""
    started = time.perf_counter()
    report = await run_cycle()
    if report.revisions:
        _log.info(
            "cycle done",
            periods=report.turned,
            rerated_customers=report.rerated,
            waiting_invoiced=report.invoiced,
            organizations=len(report.revisions),
            seconds=round(time.perf_counter() - started, 4),
        )
    await announce_cycle(ctx["redis"], report)


async def announce_cycle(redis: ArqRedis, report: CycleReport) -> None:
    """Tells the subscribers of every organization whose credits or periods changed."""
    try:
        for organization_id, revision in report.revisions.items():
            await announce(redis, organization_id, revision)
    except (RedisError, OSError) as error:
        _log.warning("subscribers not told", reason=str(error))


def cycle_job() -> CronJob:
    """When the worker runs it."""
    return cron(
        grant_cycle_credits,
        second=_EVERY_TEN_SECONDS,
        keep_result=0,
        max_tries=1,
        timeout=_TIMEOUT_SECONDS,
    )

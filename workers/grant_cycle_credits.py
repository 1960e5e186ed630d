"""The worker's cycle: turns periods, grants credits and makes invoices as soon as they are due."""

import contextlib
import time

import structlog
from arq.connections import ArqRedis
from redis.exceptions import RedisError

from billing.subscriptions.cycle import CycleReport, run_cycle
from config import clock
from metering.live.wakeup import announce
from waiting.patience import Patience

_log = structlog.get_logger(__name__)


async def grant_cycle_credits(redis: ArqRedis, patience: Patience) -> None:
    """Does all that is due. Any number of workers may run it at once.

    PostgreSQL's clock says what is due; while that has not been read, nothing is.
    """
    if not clock.is_followed():
        return
    started = time.perf_counter()
    report = CycleReport()
    try:
        await run_cycle(patience=patience, report=report)
    finally:  # what was done before something failed is done
        if report.revisions:
            _log.info(
                "cycle done",
                periods=report.renewed,
                rerated_customers=report.rerated,
                waiting_invoiced=report.invoiced,
                organizations=len(report.revisions),
                seconds=round(time.perf_counter() - started, 4),
            )
        await announce_cycle(redis, report)


async def announce_cycle(redis: ArqRedis, report: CycleReport) -> None:
    """Tells the subscribers of every organization whose credits or periods changed."""
    # What fails is logged by the connection's circuit.
    with contextlib.suppress(RedisError, OSError):
        for organization_id, revision in report.revisions.items():
            await announce(redis, organization_id, revision)

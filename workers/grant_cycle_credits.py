"""The worker's cycle: renews periods, grants credits and makes invoices as soon as they are due."""

import time

import structlog

from billing.subscriptions.cycle import CycleReport, run_cycle
from config import clock
from waiting.patience import Patience

_log = structlog.get_logger(__name__)


async def grant_cycle_credits(patience: Patience) -> None:
    """Does everything that is due. Any number of workers may run it at once.

    PostgreSQL's clock says what is due; before its first reading, nothing is.
    """
    if not clock.is_followed():
        return
    started = time.perf_counter()
    report = CycleReport()
    try:
        await run_cycle(patience=patience, report=report)
    finally:  # chunks that were committed before a failure count
        if report.organizations:
            _log.info(
                "cycle done",
                periods=report.renewed,
                turned_balances=report.turned,
                rerated_customers=report.rerated,
                waiting_invoiced=report.invoiced,
                organizations=len(report.organizations),
                seconds=round(time.perf_counter() - started, 4),
            )

"""The nightly audit: cached usage held against the raw events, slowly, until a round is done."""

import asyncio
import time
from datetime import datetime, timedelta
from typing import Any

import structlog
from arq import cron
from arq.cron import CronJob

from config.clock import now
from metering.audit import audit_step, audits_due
from workers.outages import outlives_database

_log = structlog.get_logger(__name__)

# An audit that is cut off goes on with the next run; what a night leaves, the next one does.
_WINDOW_HOURS = 4
_RUN_SECONDS = 50.0
_TIMEOUT_SECONDS = 120
# After a step it rests for as long as the step took, so that it takes half a connection at most.
_REST = 1.0


def audit_job(hour: int) -> CronJob:
    """The cron job of arq that audits every minute of the hours from `hour` (UTC) on."""
    hours = {(hour + number) % 24 for number in range(_WINDOW_HOURS)}

    @outlives_database
    async def recompute_usage(ctx: dict[str, Any]) -> None:
        del ctx
        await audit_until(last_start(hour), _RUN_SECONDS)

    return cron(
        recompute_usage,
        name="cron:recompute_usage",
        hour=hours,
        minute=set(range(60)),
        second=0,
        timeout=_TIMEOUT_SECONDS,
        keep_result=0,
        max_tries=1,
    )


async def audit_until(round_start: datetime, seconds: float) -> None:
    """Audits what has not been audited since `round_start`, for about so many seconds."""
    deadline = time.monotonic() + seconds
    for organization_id in await audits_due(round_start):
        is_last = False
        while not is_last:
            if time.monotonic() >= deadline:
                return
            started = time.monotonic()
            step = await audit_step(organization_id)
            is_last = step.is_last
            await asyncio.sleep(_REST * (time.monotonic() - started))
        _log.info("usage audited", organization_id=str(organization_id))


def last_start(hour: int) -> datetime:
    """The latest instant at which it was `hour` o'clock (UTC)."""
    today = now().replace(hour=hour, minute=0, second=0, microsecond=0)
    return today if today <= now() else today - timedelta(days=1)

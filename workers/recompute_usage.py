"""The nightly audit: cached usage held against the raw events, slowly, until a round is done."""

import asyncio
import time
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from config.clock import now
from metering.audit.rounds import AuditStep, audit_step, audits_due
from waiting.patience import Patience

_log = structlog.get_logger(__name__)

# An audit that is cut off goes on with the next run; what a night leaves, the next one does.
_WINDOW_HOURS = 4
_RUN_SECONDS = 50.0
# A step recomputes usage from raw events, which takes longer than counting them once.
_STEP_SECONDS = 60.0
# After a step it rests for as long as the step took, so that it takes half a connection at most.
_REST = 1.0


class NightlyAudit:
    """Audits in the hours from `hour` (UTC) on, by PostgreSQL's clock."""

    def __init__(self, hour: int) -> None:
        self._hour = hour
        self._patience = Patience(_STEP_SECONDS)

    async def run(self) -> None:
        """Audits for a while, if it is time."""
        start = last_start(self._hour)
        if now() < start + timedelta(hours=_WINDOW_HOURS):
            await audit_until(start, _RUN_SECONDS, self._patience)


async def audit_until(
    round_start: datetime, seconds: float, patience: Patience | None = None
) -> None:
    """Audits what has not been audited since `round_start`, for about so many seconds."""
    patience = patience or Patience(_STEP_SECONDS)
    deadline = time.monotonic() + seconds
    for organization_id in await patience.wait_for("due", lambda: audits_due(round_start)):
        is_last = False
        while not is_last:
            if time.monotonic() >= deadline:
                return
            started = time.monotonic()
            step = await _step(organization_id, patience)
            is_last = step.is_last
            await asyncio.sleep(_REST * (time.monotonic() - started))
        _log.info("usage audited", organization_id=str(organization_id))


async def _step(organization_id: UUID, patience: Patience) -> AuditStep:
    return await patience.wait_for(organization_id, lambda: audit_step(organization_id))


def last_start(hour: int) -> datetime:
    """The latest instant at which it was `hour` o'clock (UTC)."""
    today = now().replace(hour=hour, minute=0, second=0, microsecond=0)
    return today if today <= now() else today - timedelta(days=1)

"""The nightly audit: compares cached usage with the raw events, slowly, until a round is done."""

import asyncio
import time
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from config.clock import now
from metering.audit.rounds import AuditStep, audit_step, audits_due
from waiting.patience import Patience

_log = structlog.get_logger(__name__)

# The next run continues an audit that was cut off, and so does the next night.
_WINDOW_HOURS = 4
_RUN_SECONDS = 50.0
# A step recomputes usage from raw events, which takes longer than counting them once.
_STEP_SECONDS = 60.0
# It rests after each step for as long as the step took, so it uses at most half a connection.
_REST = 1.0


class NightlyAudit:
    """Audits for some hours from `hour` (UTC), by PostgreSQL's clock."""

    def __init__(self, hour: int) -> None:
        self._hour = hour
        self._patience = Patience(_STEP_SECONDS)

    async def run(self) -> None:
        """Audits for a while, during those hours."""
        start = last_start(self._hour)
        if now() < start + timedelta(hours=_WINDOW_HOURS):
            await audit_until(start, _RUN_SECONDS, self._patience)


async def audit_until(
    round_start: datetime, seconds: float, patience: Patience | None = None
) -> None:
    """Audits for about `seconds` what has not been audited since `round_start`."""
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
    """Returns the latest instant at which it was `hour` o'clock (UTC)."""
    today = now().replace(hour=hour, minute=0, second=0, microsecond=0)
    return today if today <= now() else today - timedelta(days=1)

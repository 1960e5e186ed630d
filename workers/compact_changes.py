"""Removes stale changes of customer meters, so that followers do not read them."""

from functools import partial

import structlog

from metering.counting.compacting import compact, logs_to_compact
from waiting.patience import Patience

_log = structlog.get_logger(__name__)


async def compact_changes(patience: Patience) -> None:
    """Compacts every log that needs it. Any number of workers may run it at once."""
    for organization_id in await patience.wait_for("stale changes", logs_to_compact):
        if await patience.wait_for(
            (organization_id, "stale changes"), partial(compact, organization_id)
        ):
            _log.debug("stale changes removed", organization_id=str(organization_id))

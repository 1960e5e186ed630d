"""Erases the metadata of erased customers' events, customer by customer in turn."""

import asyncio
import time
from functools import partial
from uuid import UUID

import structlog

from metering.erasing.events import Step, erase_span, unfinished
from waiting.outages import is_outage
from waiting.patience import Patience

_log = structlog.get_logger(__name__)

# Counting waits while a span is erased, so there is a rest after it, as long as it took.
_REST = 1.0


async def erase_customers(patience: Patience) -> None:
    """Works until nothing is left to do now. Any number of workers may run it at once."""
    is_more = True
    while is_more:
        is_more = False
        for organization_id, customer_id in await patience.wait_for("erasures", unfinished):
            started = time.monotonic()
            step = await _step(patience, organization_id, customer_id)
            is_more |= step is Step.MORE
            await asyncio.sleep(_REST * (time.monotonic() - started))


async def _step(patience: Patience, organization_id: UUID, customer_id: UUID) -> Step:
    """Erases a span. If that fails, the other customers go on, and the next run tries again."""
    log = _log.bind(organization_id=str(organization_id), customer_id=str(customer_id))
    try:
        step = await patience.wait_for(
            (customer_id, "erasure"), partial(erase_span, organization_id, customer_id)
        )
    except Exception as error:
        if is_outage(error):
            raise
        log.exception("erasing a customer's events failed")
        return Step.NOTHING
    if step is Step.LAST:
        log.info("customer erased")
    return step

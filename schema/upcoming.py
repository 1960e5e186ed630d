"""What the next invoices of an organization would come to, estimated once a minute at most."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billing.invoicing.estimates import upcoming_invoices
from billing.invoicing.revenue import live_subscriptions
from config.clock import now

SECONDS = 60.0
_CHUNK = 500
_MOST_KEPT = 1_000  # organizations
_FIRST = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Upcoming:
    """What the next invoices come to by currency, of every event stored before `through`."""

    totals: Mapping[str, int]
    through: datetime


class UpcomingTotals:
    """The estimates that a process has made lately. One a process."""

    def __init__(self) -> None:
        self._made: dict[UUID, tuple[float, asyncio.Task[Upcoming]]] = {}

    async def of(self, organization_id: UUID, place: AbstractAsyncContextManager[None]) -> Upcoming:
        """The estimate of an organization; all who ask within a minute share it."""
        time = asyncio.get_running_loop().time()
        since, task = self._made.get(organization_id, (0.0, None))
        is_failed = task is not None and task.done() and (task.cancelled() or task.exception())
        if task is None or is_failed or time - since > SECONDS:
            task = asyncio.create_task(_estimate(organization_id, place))
            self._made.pop(organization_id, None)
            self._made[organization_id] = (time, task)
            if len(self._made) > _MOST_KEPT:
                del self._made[next(iter(self._made))]
        return await asyncio.shield(task)


async def _estimate(organization_id: UUID, place: AbstractAsyncContextManager[None]) -> Upcoming:
    """Estimates active subscriptions, some hundreds at a time, in the organization's turn."""
    totals: Counter[str] = Counter()
    through = now()
    last = _FIRST
    async with place:
        while ids := await live_subscriptions(organization_id, last, _CHUNK):
            for estimate in (await upcoming_invoices(organization_id, ids)).values():
                totals[estimate.currency] += estimate.subtotal
                through = min(through, estimate.complete_through)
            last = ids[-1]
    return Upcoming(totals, through)

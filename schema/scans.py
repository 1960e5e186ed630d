"""Limits scans, reads of unbounded numbers of events, to a few at a time per organization.

Scans are previews, lists of events found by `where` or by a meter's filter, counts of events, and
usage by dimension, which may be that of a thousand combinations.
Each takes a processor of the database while it runs, so others wait for their turn.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from schema.errors import RateLimited
from waiting.turns import CrowdedError, Turns

MOST_WAITING = 50
_SECONDS = 5  # the longest that a preview takes, so by then there is room


class Scans:
    """The scans of one process.

    Args:
        at_once: how many run at once; one organization may run half as many.
    """

    def __init__(self, at_once: int) -> None:
        self._each = max(1, at_once // 2)
        self._turns = Turns(at_once, self._each, MOST_WAITING)

    @asynccontextmanager
    async def place(self, organization_id: UUID) -> AsyncIterator[None]:
        """Waits for a place and keeps it for the block; raises RateLimited if too many wait."""
        try:
            await self._turns.take(organization_id)
        except CrowdedError:
            raise RateLimited(
                f"Your organization runs {self._each} previews, searches or counts of events at a"
                f" time, and {MOST_WAITING} more are waiting; try again in {_SECONDS} s",
                retryAfterSeconds=_SECONDS,
            ) from None
        try:
            yield
        finally:
            self._turns.give_back(organization_id)

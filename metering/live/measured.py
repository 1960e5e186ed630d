"""Sums for /metrics, kept in Redis, to which any process adds after a commit."""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import cast

from arq.connections import ArqRedis

MEASUREMENTS = "metergraph:measurements"
"""The hash with all sums."""

ALERTS_TRIGGERED = "alerts.triggered"
INVOICES_ISSUED = "invoices.issued"


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """An event: something that is counted has happened, some times. No two are equal."""

    field: str
    times: int

    @property
    def pause_seconds(self) -> float:
        """No equal event waits, because there is none."""
        return 0.0

    async def perform(self, redis: ArqRedis) -> None:
        """Adds it to the sum."""
        await cast("Awaitable[int]", redis.hincrby(MEASUREMENTS, self.field, self.times))

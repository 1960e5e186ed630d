"""Batches of events, and how their events are found: in their months, by an index."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from metering.months import months_around


@dataclass(frozen=True, slots=True)
class Batches:
    """Batches, in the order of their ids, and the months around their events: start and end."""

    ids: list[int]
    months: list[datetime]

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, Any]]) -> Self:
        """Makes it of rows with the `id`, `first_at` and `last_at` of batches that have events."""
        found = list(rows)
        if not found:
            return cls([], [])
        first = min(row["first_at"] for row in found)
        last = max(row["last_at"] for row in found)
        return cls(sorted(row["id"] for row in found), months_around(first, last))


def of_batches(ids: str, months: str) -> str:
    """Writes the condition on `event`, from the placeholders of `Batches`.

    The months leave out partitions. The first and last id repeat what the list says: with them, the
    planner expects the fewest rows from the index on batches, also before it knows a new month. It
    would otherwise take the index on timestamps, and read all of an organization's month.
    """
    ids, months = f"({ids}::bigint[])", f"({months}::timestamptz[])"
    return (
        f"batch_id = ANY({ids}) AND batch_id >= {ids}[1] AND batch_id <= {ids}[cardinality({ids})]"
        f" AND timestamp >= {months}[1] AND timestamp < {months}[2]"
    )

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


def events_of_batches(ids: str, months: str) -> str:
    """Writes the FROM item of all events of batches, from the placeholders of `Batches`.

    The organization is $1. The months leave out partitions. They must not look selective: without
    statistics, or for parameters, the planner would expect fewest rows from the index on timestamps
    and read all of an organization's month. So each batch is looked up by itself, and the end is
    written in a way that is not taken for a range together with the start.
    """
    ids, months = f"({ids}::bigint[])", f"({months}::timestamptz[])"
    return f"""(
        SELECT found.* FROM unnest{ids} AS batch (id) CROSS JOIN LATERAL (
            SELECT * FROM event
            WHERE organization_id = $1 AND batch_id = batch.id
              AND timestamp >= {months}[1] AND timestamp < ANY(ARRAY[{months}[2]])
            OFFSET 0
        ) AS found
    )"""

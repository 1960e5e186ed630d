"""Periods of customers, and how they divide into whole buckets and edges."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from metering.language.voided import counted_as_of
from metering.usage.windows import BUCKET, BUCKET_MINUTES, Window, bucket_of, split

_EVER = datetime(1, 1, 1, tzinfo=UTC)

# A subquery finds the one batch; a join might scan all batches.
_COUNTED_THROUGH = """(
    SELECT batch.position FROM event_batch batch
    WHERE batch.organization_id = $1 AND batch.id = e.batch_id
) <= $3"""


@dataclass(frozen=True, slots=True)
class CustomerPeriod:
    """A customer's time in [start, end). None means that this side has no bound.

    `by_events`: its usage is read from the events alone, because the buckets have changed since the
    position that is asked for. Such a period has a start and an end.
    """

    customer_id: UUID
    start: datetime | None
    end: datetime | None
    by_events: bool = False

    def parts(
        self, minutes: int = BUCKET_MINUTES
    ) -> tuple[datetime | None, datetime | None, tuple[Window, ...]]:
        """Returns the bounds of its whole buckets, None if there is none, and its edges."""
        if self.start is not None and self.end is not None:
            if self.by_events:
                return self.end, self.end, (Window(self.start, self.end),)
            parts = split(Window(self.start, self.end), minutes)
            return parts.start, parts.end, parts.edges
        if self.start is not None:
            first = split(Window(self.start, self.start + 2 * BUCKET)).start
            return first, None, (Window(self.start, first),)
        if self.end is not None:
            last = split(Window(self.end - 2 * BUCKET, self.end)).end
            return None, last, (Window(last, self.end),)
        return None, None, ()

    @property
    def carries_from(self) -> datetime | None:
        """The instant from which events before its start are read, and buckets before that."""
        if self.start is None:
            return None
        return _EVER if self.by_events else bucket_of(self.start.astimezone(UTC))


def counted_through_sql(periods: Sequence[CustomerPeriod]) -> str:
    """SQL: whether event `e` is in a batch up to the position $3 of the organization $1.

    Of periods that are read by events alone, so is one that was voided after that position.
    """
    if any(period.by_events for period in periods):
        return counted_as_of("$3")
    return _COUNTED_THROUGH


def begun(periods: Sequence[CustomerPeriod]) -> list[tuple[int, UUID, datetime, datetime]]:
    """Returns what is before each period with a start: ordinal, customer, `carries_from`, start."""
    return [
        (ordinal, period.customer_id, period.carries_from, period.start)
        for ordinal, period in enumerate(periods)
        if period.start is not None
        and period.carries_from is not None
        and period.start != period.end
    ]


def ended(periods: Sequence[CustomerPeriod]) -> list[tuple[int, datetime]]:
    """Returns the ordinals and the ends of the periods that have one."""
    return [(ordinal, one.end) for ordinal, one in enumerate(periods) if one.end is not None]

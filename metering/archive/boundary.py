"""The instant from which events are stored: those from before are archived.

Buckets and everything made of them stay. What would need an archived event is refused, by the
statement that would read it, so that an answer never leaves events out silently.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from tortoise.backends.base.client import BaseDBAsyncClient

from metering.usage.windows import EventsArchivedError
from waiting.outages import postgres_error

EVENTS_FROM = """(
    SELECT coalesce(max(ends_at), '-infinity') FROM archived_month WHERE archived_at IS NOT NULL
)"""
"""SQL: the instant from which events are stored; -infinity if nothing is archived.

`is_stored(instant, EVENTS_FROM)` in the database is true, or raises the error below.
"""

_IS_ARCHIVED = "MG001"

_FROM = """
SELECT max(ends_at) FILTER (WHERE archived_at IS NOT NULL) AS events_from,
       max(ends_at) AS accepted_from
FROM archived_month
"""


async def events_from(connection: BaseDBAsyncClient) -> datetime | None:
    """Returns the instant from which events are stored; None if nothing is archived."""
    [row] = await connection.execute_query_dict(_FROM)
    found: datetime | None = row["events_from"]
    return found


async def accepted_from(connection: BaseDBAsyncClient) -> datetime | None:
    """Returns the instant from which new events are accepted; None for any.

    Unlike `events_from`, it is also after a month that is just being archived.
    """
    [row] = await connection.execute_query_dict(_FROM)
    found: datetime | None = row["accepted_from"]
    return found


@contextmanager
def reading_edges(length: str) -> Iterator[None]:
    """Explains the error of a statement that needs archived events at the edges of a range.

    Args:
        length: what a range before the boundary has to consist of: "quarter hours" or "hours".

    Raises:
        EventsArchivedError: with what can be asked instead.
    """
    try:
        yield
    except Exception as error:
        if not is_of_archived(error):
            raise
        raise EventsArchivedError(
            "start",
            f"{postgres_error(error)} A range that begins there, and its intervals, have to consist"
            f" of whole {length} in UTC.",
        ) from None


def is_of_archived(error: BaseException) -> bool:
    """Whether a statement failed because it needs archived events."""
    found = postgres_error(error)
    return found is not None and found.sqlstate == _IS_ARCHIVED

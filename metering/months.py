"""The months of events: `event` is partitioned by the month, in UTC, of an event's timestamp.

A partition is made when the first event needs it. All months before 2020 share `event_before`, so
timestamps of any age cannot make thousands of partitions. In a database that was in use before
there were partitions, it has all events from before that change, and all other months that they
could have.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.transactions import in_transaction

from config import clock
from metering.archive.boundary import accepted_from
from waiting.outages import postgres_error

_log = structlog.get_logger(__name__)

_LONGEST = timedelta(days=31)
_AHEAD = timedelta(days=7)
_END_OF_TIME = datetime.max.replace(tzinfo=UTC)
_NO_PARTITION = "23514"

# Held while months are made, so that two processes do not make the same one.
_LOCK = 0x6D6F6E746873

_FIRST_MONTH = datetime(2020, 1, 1, tzinfo=UTC)
_BEFORE = "event_before"

_PARTITIONS = r"""
SELECT inhrelid::regclass::text AS partition,
       substring(pg_get_expr(relpartbound, oid) FROM $$FROM \('(.*?)'\)$$)::timestamptz AS start,
       substring(pg_get_expr(relpartbound, oid) FROM $$TO \('(.*)'\)$$)::timestamptz AS end,
       pg_total_relation_size(oid) AS bytes
FROM pg_inherits JOIN pg_class ON oid = inhrelid
WHERE inhparent = 'event'::regclass AND NOT inhdetachpending
ORDER BY start NULLS FIRST
"""

HAS_CITUS = "EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')"
"""SQL: whether the database is a cluster's, so that partitions lie on other nodes."""

_CREATE = """
CREATE TABLE {table} (
    LIKE event INCLUDING DEFAULTS INCLUDING COMMENTS, PRIMARY KEY (organization_id, id)
);
ALTER TABLE {table} ALTER COLUMN organization_id SET STATISTICS 0;
"""
# Attaching a table that exists does not block readers or writers of the others, unlike
# CREATE TABLE ... PARTITION OF. It also makes the indexes that all months have.
_ATTACH = "ALTER TABLE event ATTACH PARTITION {table} FOR VALUES FROM ({start}) TO ('{end}')"


@dataclass(frozen=True, slots=True)
class Month:
    """A partition of events: a month, or all time before one (`start` is None)."""

    partition: str
    start: datetime | None
    end: datetime
    bytes: int = 0

    @property
    def name(self) -> str:
        """Names it for people and for files: `2025-01`."""
        return f"before-{self.end:%Y-%m}" if self.start is None else f"{self.start:%Y-%m}"

    def create_sql(self) -> str:
        """SQL: makes its table, which is not a partition yet."""
        return _CREATE.format(table=self.partition)

    def attach_sql(self) -> str:
        """SQL: makes the table a partition."""
        start = "MINVALUE" if self.start is None else f"'{self.start.isoformat()}'"
        return _ATTACH.format(table=self.partition, start=start, end=self.end.isoformat())


def month_of(instant: datetime) -> datetime:
    """Returns the start of the month in which an instant lies, in UTC."""
    return instant.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def month_after(month: datetime) -> datetime:
    """Returns the start of the next month; the end of time after the last one."""
    try:
        return month_of(month + _LONGEST)
    except OverflowError:
        return _END_OF_TIME


def months_around(first: datetime, last: datetime) -> list[datetime]:
    """Returns the start and the end of the whole months in which two instants lie."""
    return [month_of(first), month_after(month_of(last))]


def is_month_missing(error: BaseException) -> bool:
    """Whether an event could not be stored because its month has no partition."""
    found = postgres_error(error)
    return found is not None and found.sqlstate == _NO_PARTITION and found.constraint_name is None


async def make_months(instants: Iterable[datetime]) -> list[str]:
    """Makes the partitions that events at these instants need; returns the names of new ones.

    Months that are archived, or are being archived, are not made.
    """
    months = {month_of(instant) for instant in instants}
    async with in_transaction() as connection:
        await lock_months(connection)
        ends = {found.partition: found.end for found in await stored_months(connection)}
        accepted = await accepted_from(connection)
        if accepted is not None:
            months = {month for month in months if month >= accepted}
        first = ends.get(_BEFORE, _FIRST_MONTH)
        made = []
        for month in sorted(months):
            name = _BEFORE if month < first else f"event_{month:%Y_%m}"
            if name not in ends:
                ends[name] = first if name == _BEFORE else month_after(month)
                new = Month(name, None if name == _BEFORE else month, ends[name])
                await connection.execute_script(new.create_sql() + new.attach_sql())
                made.append(name)
    for name in made:
        _log.debug("partition made", table=name)
    return made


async def stored_months(connection: BaseDBAsyncClient) -> list[Month]:
    """Returns the partitions, the earliest first."""
    return [Month(**row) for row in await connection.execute_query_dict(_PARTITIONS)]


async def is_cluster(connection: BaseDBAsyncClient) -> bool:
    """Whether the database uses Citus, so that partitions lie on other nodes."""
    [row] = await connection.execute_query_dict(f"SELECT {HAS_CITUS} AS found")
    found: bool = row["found"]
    return found


async def lock_months(connection: BaseDBAsyncClient) -> None:
    """Keeps others from making months until the end of the transaction."""
    await connection.execute_query("SELECT pg_advisory_xact_lock($1)", [_LOCK])


async def make_months_ahead() -> list[str]:
    """Makes the present month and, in its last week, the next one; returns those that are new.

    Storing the first event of a month would make it too, but would have to be repeated.
    """
    now = clock.now()
    return await make_months([now, now + _AHEAD])

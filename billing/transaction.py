"""The transaction that a step of billing works in, and rows as parameters of its statements."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from metering.alerts.deciding import decide
from metering.counting.log import lock_log, next_revision
from metering.live.outbox import OutboxType, publish

Row = TypeVar("Row")

STAMPED = "revision = (SELECT log.revision FROM event_log log WHERE log.organization_id = $1)"
"""SQL: what an UPDATE of `customer_subscription` also sets, so that its change is noticed.

The transaction holds the log of the organization $1, and has taken that revision.
"""


@dataclass(frozen=True, slots=True)
class BillingTransaction:
    """A transaction that holds the log of an organization, so nothing is counted meanwhile.

    `head` is the last position of the log. `revision` is stamped on customer meters that change.
    `now` is the time that the step works by.
    """

    connection: BaseDBAsyncClient
    organization_id: UUID
    head: int
    revision: int
    now: datetime

    async def rows(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """Runs a statement whose first parameter is the organization, and returns its rows."""
        return await self.connection.execute_query_dict(statement, [self.organization_id, *values])

    async def publish(self, type_: OutboxType, *object_ids: UUID) -> None:
        """Records in the outbox that something happened to objects of the organization."""
        await publish(self.connection, self.organization_id, type_, *object_ids)

    async def run(self, statement: str, *values: Any) -> None:
        """Runs a statement whose first parameter is the organization."""
        await self.connection.execute_query(statement, [self.organization_id, *values])


@asynccontextmanager
async def billing_transaction(
    connection: BaseDBAsyncClient, organization_id: UUID, now: datetime
) -> AsyncIterator[BillingTransaction]:
    """Takes the lock of the log, which comes before all other locks of billing.

    After the block, the alerts trigger that the changed credit and periods reach.
    """
    state = await lock_log(connection, organization_id)
    revision = await next_revision(connection, organization_id)
    yield BillingTransaction(connection, organization_id, state.head, revision, now)
    await decide(connection, organization_id, revision)


def columns(rows: Iterable[Row], *values: Callable[[Row], Any]) -> list[list[Any]]:
    """Returns an array for each of `values`, which read a column of a row, for `unnest`."""
    kept = list(rows)
    return [[value(row) for row in kept] for value in values]

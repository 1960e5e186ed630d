"""An organization's log, held by a transaction of billing: whatever it reads stands still."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from metering.counting.log import lock_log, next_revision


@dataclass(frozen=True, slots=True)
class BillingTransaction:
    """What a step of billing works with, until its transaction ends.

    `head` is the last position of the log; `revision` is to be stamped on customer meters that
    change; `now` is when it happens.
    """

    connection: BaseDBAsyncClient
    organization_id: UUID
    head: int
    revision: int
    now: datetime


async def billing_transaction(
    connection: BaseDBAsyncClient, organization_id: UUID, now: datetime
) -> BillingTransaction:
    """Takes the log's lock, before any other lock of billing."""
    state = await lock_log(connection, organization_id)
    revision = await next_revision(connection, organization_id)
    return BillingTransaction(connection, organization_id, state.head, revision, now)

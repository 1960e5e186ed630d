"""Transactions that change what periods are made of: products, benefits, subscriptions, credit."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from tortoise.transactions import in_transaction

from billing.subscriptions.cycle import renew_due
from billing.subscriptions.renewal import Touched
from billing.transaction import BillingTransaction, billing_transaction
from config.clock import now


@asynccontextmanager
async def edit(organization_id: UUID, touched: Touched) -> AsyncIterator[BillingTransaction]:
    """A transaction that holds the log, in which no period of what it touches is over.

    So an edit never reaches a period that began before it. Due periods are renewed first, a chunk
    in a transaction of its own: they stay renewed if the edit is refused or killed, as they would
    be by the cycle, and the log is never held for longer than the cycle holds it. Only with an
    idempotency key, which what is of one customer can have, is all of it one transaction.
    """
    while True:
        async with in_transaction() as connection:
            transaction = await billing_transaction(connection, organization_id, now())
            if not await renew_due(transaction, touched):
                yield transaction
                return

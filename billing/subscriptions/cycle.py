"""The cycle: renews due subscriptions, rates late usage and issues invoices, each once.

Every transaction holds the log of one organization and does a chunk of one kind of work. The tables
say what is left to do, so if a worker is killed, another one repeats its chunk. Workers take turns
on an organization and skip rows that another one has locked.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from uuid import UUID

from tortoise.connection import get_connection
from tortoise.transactions import in_transaction

from billing.invoicing.drafts import end_grace_of_due_drafts
from billing.invoicing.due_invoices import (
    CHUNK,
    FIRST,
    invoice_due_corrections,
    invoice_periods_of,
    invoice_waiting_periods,
    schedule_corrections,
)
from billing.periods.open_credit import turn_credit
from billing.periods.rerating import rerate_late
from billing.periods.store import COUNTED_FOR_PERIOD
from billing.subscriptions.live_subscriptions import SUBSCRIPTION_COLUMNS, live_subscription
from billing.subscriptions.renewal import Touched, renew_subscriptions
from billing.transaction import STAMPED, BillingTransaction, billing_transaction
from config import clock
from metering.live.outbox import OutboxType
from waiting.patience import MOST_SECONDS, Patience


@dataclass(slots=True)
class CycleReport:
    """What a run did: periods renewed, credit turned, customers rated again, invoices issued.

    `organizations` are those that had something to do.
    """

    renewed: int = 0
    turned: int = 0
    rerated: int = 0
    invoiced: int = 0
    organizations: set[UUID] = field(default_factory=set)


Work = Callable[[BillingTransaction], Awaitable[int]]


async def run_cycle(
    now: datetime | None = None,
    organization_id: UUID | None = None,
    patience: Patience | None = None,
    report: CycleReport | None = None,
) -> CycleReport:
    """Does everything that is due.

    Args:
        now: as of when; by default, the time of the clock.
        organization_id: an organization, if the others are to be left out.
        patience: how long to wait for PostgreSQL; by default, until a connection must be lost.
        report: is filled in as the work goes, so that it tells what was done before a failure.

    Raises:
        ExceptionGroup: an exception for each organization that failed, after all others are done.
            A chunk that failed is rolled back, and the next run repeats it.
    """
    at = now or clock.now()
    waiting = patience or Patience(MOST_SECONDS)
    report = CycleReport() if report is None else report
    failures: list[Exception] = []
    for found in await waiting.wait_for("cycle", lambda: _organizations_with_work(at)):
        if organization_id in (None, found):
            try:
                await _run_organization(found, at, report, waiting)
            except Exception as error:  # noqa: BLE001  # one tenant's failure must not stop the others
                error.add_note(f"in the cycle of organization {found}")
                failures.append(error)
    if failures:
        raise ExceptionGroup("the cycle failed", failures)
    return report


async def _run_organization(
    organization_id: UUID, at: datetime, report: CycleReport, patience: Patience
) -> None:
    async def do(work: Work) -> int:
        done = await patience.wait_for(
            (organization_id, work), lambda: _chunk(organization_id, at, work)
        )
        if done:
            report.organizations.add(organization_id)
        return done

    while done := await do(renew_due):
        report.renewed += done
    while done := await do(turn):
        report.turned += done
    while done := await do(rerate_some):
        report.rerated += done
    await do(announce_ends_of_trials)
    await do(schedule_corrections)
    await do(end_grace_of_due_drafts)
    async for done in _invoices(do):
        report.invoiced += done


async def _invoices(do: Callable[[Work], Awaitable[int]]) -> AsyncIterator[int]:
    """Issues what is due, and yields how many invoices each chunk made."""
    made = 1
    while made:  # passes over the waiting periods
        made = 0
        after: UUID | None = FIRST

        async def chunk(transaction: BillingTransaction, start: UUID) -> int:
            nonlocal after
            done, after = await invoice_waiting_periods(transaction, start)
            return done

        while after is not None:
            done = await do(partial(chunk, start=after))
            made += done
            yield done
    while done := await do(invoice_due_corrections):
        yield done


async def _chunk(organization_id: UUID, at: datetime, work: Work) -> int:
    """Does a chunk of one kind of work, and returns how much it did."""
    async with (
        in_transaction() as connection,
        billing_transaction(connection, organization_id, at) as transaction,
    ):
        return await work(transaction)


async def renew_due(transaction: BillingTransaction, touched: Touched | None = None) -> int:
    """Renews a chunk of due subscriptions, and invoices the periods that are counted.

    With `touched`, it renews those only, and waits for rows that are locked.
    """
    only, lock, values = "", "FOR UPDATE SKIP LOCKED", []
    if touched is not None:
        only, lock = f"AND {touched.sql}", "FOR UPDATE"
        values = [touched.value]
    rows = await transaction.rows(
        f"""
        SELECT {SUBSCRIPTION_COLUMNS} FROM customer_subscription subscription
        WHERE subscription.organization_id = $1 AND subscription.status <> 'CANCELED'
          AND subscription.usage_period_end <= $2 {only}
        ORDER BY subscription.usage_period_end, subscription.id
        LIMIT $3
        {lock}
        """,
        transaction.now,
        CHUNK,
        *values,
    )
    due = [live_subscription(row) for row in rows]
    if due:
        # Late usage comes first: the credit that it burns does not carry over.
        await rerate_late(transaction, [one.customer_id for one in due])
        await renew_subscriptions(transaction, due)
        await invoice_periods_of(transaction, [one.id for one in due])
    return len(due)


async def turn(transaction: BillingTransaction) -> int:
    """Computes the credit of a chunk of customer meters where a grant has begun or ended."""
    return await turn_credit(transaction, CHUNK)


@asynccontextmanager
async def edit(organization_id: UUID, touched: Touched) -> AsyncIterator[BillingTransaction]:
    """Opens a billing transaction after renewing the due periods that the edit affects.

    So an edit never changes a period that is over. Each chunk of due periods has a transaction of
    its own: the periods stay renewed if the edit is refused or killed, and the log is never held
    for longer than by the cycle. A mutation of the API does it all in one transaction: one that may
    affect many subscriptions calls `renew_touched` before.
    """
    while True:
        async with (
            in_transaction() as connection,
            billing_transaction(connection, organization_id, clock.now()) as transaction,
        ):
            if not await renew_due(transaction, touched):
                yield transaction
                return


async def renew_touched(organization_id: UUID, touched: Touched) -> None:
    """Renews the due periods that an edit affects, each chunk in a transaction of its own."""

    async def work(transaction: BillingTransaction) -> int:
        return await renew_due(transaction, touched)

    while await _chunk(organization_id, clock.now(), work):
        pass


# Each part stops after a chunk, so that the cost does not grow with the number of late customers.
_LATE_CUSTOMERS = f"""
    (SELECT customer_id FROM billing_frontier
     WHERE organization_id = $1 AND late_from IS NOT NULL
     LIMIT $3)
    UNION
    (SELECT period.customer_id
     FROM meter
     CROSS JOIN LATERAL (
         SELECT customer_id FROM metered_period period
         CROSS JOIN (SELECT $2::bigint AS head) AS log
         WHERE organization_id = $1 AND meter_id = meter.id AND is_behind
           AND period.position < coalesce(meter.position, $2)  -- found by the index
           AND period.position < {COUNTED_FOR_PERIOD}
         LIMIT $3
     ) AS period
     WHERE meter.organization_id = $1
     LIMIT $3)
    LIMIT $3
"""


async def rerate_some(transaction: BillingTransaction) -> int:
    """Rates the closed periods of a chunk of customers with late events again."""
    rows = await transaction.rows(_LATE_CUSTOMERS, transaction.head, CHUNK)
    await rerate_late(transaction, [row["customer_id"] for row in rows])
    return len(rows)


async def announce_ends_of_trials(transaction: BillingTransaction) -> int:
    """Records in the outbox that trials end soon."""
    rows = await transaction.rows(
        f"""
        UPDATE customer_subscription SET trial_notice_at = NULL, {STAMPED}
        WHERE organization_id = $1 AND trial_notice_at <= $2 AND status = 'TRIALING'
        RETURNING id
        """,
        transaction.now,
    )
    await transaction.publish(OutboxType.SUBSCRIPTION_TRIAL_ENDING, *(row["id"] for row in rows))
    return len(rows)


async def _organizations_with_work(at: datetime) -> list[UUID]:
    rows = await get_connection("default").execute_query_dict(
        f"""
        SELECT organization_id FROM customer_subscription
        WHERE status <> 'CANCELED' AND usage_period_end <= $1
        UNION SELECT organization_id FROM customer_meter WHERE credit_until <= $1
        UNION SELECT organization_id FROM customer_subscription WHERE corrections_due_at <= $1
        UNION SELECT organization_id FROM customer_subscription
        WHERE trial_notice_at <= $1 AND status = 'TRIALING'
        UNION SELECT organization_id FROM subscription_period
            WHERE invoiced_at IS NULL AND draft_until IS NULL
        UNION SELECT organization_id FROM subscription_period WHERE draft_until <= $1
        UNION SELECT organization_id FROM billing_frontier WHERE late_from IS NOT NULL
        -- Late usage that is rated, but whose invoice is not scheduled: it was rated when a
        -- subscription was created or canceled, or the worker was killed.
        UNION
        SELECT period.organization_id
        FROM metered_period period
        JOIN customer_subscription subscription
            ON subscription.organization_id = period.organization_id
           AND subscription.id = period.subscription_id
        WHERE period.needs_correction AND subscription.status = 'CANCELED'
          AND subscription.corrections_due_at IS NULL
        UNION
        SELECT period.organization_id
        FROM metered_period period
        JOIN meter
            ON meter.organization_id = period.organization_id AND meter.id = period.meter_id
        JOIN event_log log ON log.organization_id = period.organization_id
        WHERE period.is_behind AND {COUNTED_FOR_PERIOD} > period.position
        """,
        [at],
    )
    return [row["organization_id"] for row in rows]

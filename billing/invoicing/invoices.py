"""Issues invoices, which are numbered without gaps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import structlog
from tortoise.backends.base.client import BaseDBAsyncClient

from billing.catalog.prices import metered_prices
from billing.invoicing.balances import (
    BalanceChange,
    balance_lines,
    balances,
    change_balances,
    subtotal,
)
from billing.invoicing.rebilling import NOTHING_AGAIN, Rebilling, mark_rebilled
from billing.invoicing.settlements import store_settled
from billing.invoicing.stored_invoices import (
    NewInvoice,
    delete_drafts,
    mark_billed,
    mark_periods,
    store_invoices,
)
from billing.periods.metered_periods import MeteredPeriod
from billing.periods.store import PERIOD_COLUMNS, metered_period_of
from billing.rating.lines import (
    Line,
    MeteredPrice,
    amount_problem,
    metered_lines,
    total,
)
from billing.rating.settlements import Settled, Settlement, discount_lines, settle
from billing.transaction import STAMPED, BillingTransaction
from metering.live.after_commit import emit
from metering.live.measured import INVOICES_ISSUED, Measured
from metering.live.outbox import OutboxType
from models.identifiers import new_id

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Bill:
    """What to bill a subscription for.

    `periods` are closed periods that were never billed, or were billed for something else.
    `charges` are the lines that do not depend on usage. `is_free`: the subscription ended in its
    trial, so nothing is invoiced.
    `period_id` is the period that waits for this
    bill; a bill of corrections has none. `draft_id` is the draft that is issued with it. `again` is
    what voided invoices billed besides usage. `settlements` are those of all these periods.
    """

    subscription_id: UUID
    customer_id: UUID
    currency: str
    periods: Sequence[MeteredPeriod]
    charges: Sequence[Line]
    is_free: bool
    period_id: UUID | None = None
    draft_id: UUID | None = None
    again: Rebilling = NOTHING_AGAIN
    settlements: Sequence[Settlement] = ()


@dataclass(frozen=True, slots=True)
class PriceBook:
    """The prices and the names of meters that metered lines need."""

    prices: Mapping[UUID, MeteredPrice]
    meter_names: Mapping[UUID, str]


def bill_lines(bill: Bill, book: PriceBook) -> tuple[list[Line], list[Settled]]:
    """Returns the lines of a bill, for an invoice or an estimate, and what they settle. Pure."""
    metered = metered_lines(bill.periods, book.prices, book.meter_names)
    minimums, off, settled = settle(bill.settlements, metered)
    lines = [*metered, *minimums, *bill.again.lines, *bill.charges]
    return [*lines, *discount_lines(lines, off)], settled


async def unbilled_periods(
    connection: BaseDBAsyncClient, organization_id: UUID, subscription_ids: Sequence[UUID]
) -> dict[UUID, list[MeteredPeriod]]:
    """Loads the closed periods that were never billed or need a correction, by subscription."""
    rows = await connection.execute_query_dict(
        f"""
        SELECT {PERIOD_COLUMNS} FROM metered_period period
        WHERE period.organization_id = $1 AND period.subscription_id = ANY($2::uuid[])
          AND period.product_price_id IS NOT NULL AND period.closed_at IS NOT NULL
          AND (period.billed_amount IS NULL OR period.needs_correction)
        ORDER BY period.subscription_id, period.starts_at, period.meter_id
        """,
        [organization_id, list(subscription_ids)],
    )
    found: dict[UUID, list[MeteredPeriod]] = {}
    for row in rows:
        found.setdefault(row["subscription_id"], []).append(metered_period_of(row))
    return found


async def price_book(
    connection: BaseDBAsyncClient, organization_id: UUID, periods: Sequence[MeteredPeriod]
) -> PriceBook:
    """Loads the prices and names for these periods."""
    meters = await connection.execute_query_dict(
        "SELECT id, name FROM meter WHERE organization_id = $1 AND id = ANY($2::uuid[])",
        [organization_id, list({period.meter_id for period in periods})],
    )
    return PriceBook(
        prices=await metered_prices(
            connection, organization_id, {period.price_id for period in periods if period.price_id}
        ),
        meter_names={row["id"]: row["name"] for row in meters},
    )


async def issue(transaction: BillingTransaction, bills: Sequence[Bill]) -> None:
    """Issues an invoice for each bill that has lines, and marks what it bills as billed.

    It withholds an invoice with an amount that clients would misread, and marks the subscription.
    """
    if not bills:
        return
    book = await price_book(
        transaction.connection,
        transaction.organization_id,
        [period for bill in bills for period in bill.periods],
    )
    written = [(bill, *bill_lines(bill, book)) for bill in bills]
    problems = {
        bill.subscription_id: reason
        for bill, lines, _settled in written
        if (reason := amount_problem(lines))
    }
    await _withhold(transaction, problems)
    issued = [one for one in written if one[0].subscription_id not in problems]
    await store_settled(transaction, [one for _, _, settled in issued for one in settled])
    kept = [(bill, lines) for bill, lines, _settled in issued]
    due = [
        NewInvoice(
            bill.draft_id or new_id(),
            bill.customer_id,
            bill.subscription_id,
            bill.currency,
            lines,
        )
        for bill, lines in kept
        if lines and not bill.is_free
    ]
    if due:
        due = await _use_balances(transaction, due)
        await store_invoices(transaction, due)
        await transaction.publish(OutboxType.INVOICE_ISSUED, *(invoice.id for invoice in due))
        emit(transaction.connection, Measured(INVOICES_ISSUED, len(due)))
    await mark_billed(transaction, [line for _bill, lines in kept for line in lines])
    invoice_ids = {invoice.subscription_id: invoice.id for invoice in due}
    await delete_drafts(
        transaction,
        [
            bill.draft_id
            for bill, _ in kept
            if bill.draft_id and bill.subscription_id not in invoice_ids
        ],
    )
    await mark_rebilled(
        transaction, [invoice_id for bill, _ in kept for invoice_id in bill.again.invoice_ids]
    )
    await mark_periods(
        transaction,
        {
            bill.period_id: invoice_ids.get(bill.subscription_id)
            for bill, _ in kept
            if bill.period_id is not None
        },
    )


async def _use_balances(
    transaction: BillingTransaction, invoices: Sequence[NewInvoice]
) -> list[NewInvoice]:
    """Lets invoices use up balances, in their order. A negative total becomes a balance."""
    left = await balances(
        transaction.connection,
        transaction.organization_id,
        (invoice.customer_id for invoice in invoices),
    )
    changes: list[BalanceChange] = []
    settled: list[NewInvoice] = []
    for invoice in invoices:
        key = (invoice.customer_id, invoice.currency)
        used = balance_lines(invoice.lines, left.get(key, 0))
        settled.append(replace(invoice, lines=[*invoice.lines, *used]))
        change = total(used) - min(0, subtotal(invoice.lines))
        if change:
            changes.append(BalanceChange(key, change, invoice.id))
            left[key] = left.get(key, 0) + change
    await change_balances(transaction, changes)
    return settled


async def _withhold(transaction: BillingTransaction, problems: Mapping[UUID, str]) -> None:
    """Marks subscriptions with a problem: they are not invoiced until their usage changes."""
    if not problems:
        return
    await transaction.run(
        f"""
        UPDATE customer_subscription AS kept SET invoicing_problem = found.problem, {STAMPED}
        FROM unnest($2::uuid[], $3::text[]) AS found (id, problem)
        WHERE kept.organization_id = $1 AND kept.id = found.id
        """,
        list(problems),
        list(problems.values()),
    )
    for subscription_id, problem in problems.items():
        _log.error(
            "an invoice is withheld",
            organization_id=str(transaction.organization_id),
            subscription_id=str(subscription_id),
            reason=problem,
        )

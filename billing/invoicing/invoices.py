"""Issues invoices, which are numbered without gaps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from tortoise.backends.base.client import BaseDBAsyncClient

from billing.catalog.catalog_products import CatalogProduct
from billing.catalog.prices import metered_prices
from billing.periods.intervals import Period
from billing.periods.metered_periods import MeteredPeriod
from billing.periods.store import PERIOD_COLUMNS, metered_period_of
from billing.rating.lines import (
    Line,
    MeteredPrice,
    amount_problem,
    fixed_lines,
    metered_lines,
    total,
)
from billing.transaction import BillingTransaction, columns
from metering.live.outbox import OutboxType
from models.identifiers import new_id

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Bill:
    """What to bill a subscription for.

    `periods` are closed periods that were never billed, or were billed for something else.
    `in_advance` is the period that begins, if any. `period_id` is the period that waits for this
    bill; a bill of corrections has none.
    """

    subscription_id: UUID
    customer_id: UUID
    product: CatalogProduct
    periods: Sequence[MeteredPeriod]
    in_advance: Period | None
    period_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class PriceBook:
    """The prices and the names of meters that metered lines need."""

    prices: Mapping[UUID, MeteredPrice]
    meter_names: Mapping[UUID, str]


def bill_lines(bill: Bill, book: PriceBook) -> list[Line]:
    """Returns the lines of a bill, for an invoice or an estimate. Pure."""
    lines = metered_lines(bill.periods, book.prices, book.meter_names)
    if bill.in_advance is not None:
        lines += fixed_lines(bill.product.name, bill.product.fixed, bill.in_advance)
    return lines


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
    written = [(bill, bill_lines(bill, book)) for bill in bills]
    problems = {
        bill.subscription_id: reason for bill, lines in written if (reason := amount_problem(lines))
    }
    await _withhold(transaction, problems)
    bills = [bill for bill in bills if bill.subscription_id not in problems]
    due = [
        _Invoice(new_id(), bill, lines)
        for bill, lines in written
        if lines and bill.subscription_id not in problems
    ]
    if due:
        first = await _take_numbers(transaction, len(due))
        await _insert_invoices(transaction, due, first)
        await _insert_lines(transaction, due)
        await _mark_billed(transaction, [line for invoice in due for line in invoice.lines])
        await transaction.publish(OutboxType.INVOICE_ISSUED, *(invoice.id for invoice in due))
    invoice_ids = {invoice.bill.subscription_id: invoice.id for invoice in due}
    await _mark_periods(transaction, bills, invoice_ids)


async def _withhold(transaction: BillingTransaction, problems: Mapping[UUID, str]) -> None:
    """Marks subscriptions with a problem: they are not invoiced until their usage changes."""
    if not problems:
        return
    await transaction.run(
        """
        UPDATE customer_subscription AS kept SET invoicing_problem = found.problem
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


@dataclass(frozen=True, slots=True)
class _Invoice:
    id: UUID
    bill: Bill
    lines: list[Line]


async def _take_numbers(transaction: BillingTransaction, count: int) -> int:
    """Takes `count` numbers and returns the first. A rollback gives them back."""
    rows = await transaction.rows(
        """
        INSERT INTO invoice_counter AS counter (organization_id, last_sequence) VALUES ($1, $2)
        ON CONFLICT (organization_id) DO UPDATE
        SET last_sequence = counter.last_sequence + excluded.last_sequence
        RETURNING last_sequence
        """,
        count,
    )
    last: int = rows[0]["last_sequence"]
    return last - count + 1


async def _insert_invoices(
    transaction: BillingTransaction, invoices: Sequence[_Invoice], first: int
) -> None:
    await transaction.run(
        """
        INSERT INTO invoice (
            organization_id, position, issued_at, id, sequence, customer_id, subscription_id,
            currency, total
        )
        SELECT $1, $2, $3, invoice.*
        FROM unnest($4::uuid[], $5::bigint[], $6::uuid[], $7::uuid[], $8::text[], $9::numeric[])
            AS invoice
        """,
        transaction.head,
        transaction.now,
        *columns(
            enumerate(invoices, first),
            lambda numbered: numbered[1].id,
            lambda numbered: numbered[0],
            lambda numbered: numbered[1].bill.customer_id,
            lambda numbered: numbered[1].bill.subscription_id,
            lambda numbered: numbered[1].bill.product.currency,
            lambda numbered: total(numbered[1].lines),
        ),
    )


async def _insert_lines(transaction: BillingTransaction, invoices: Sequence[_Invoice]) -> None:
    rows: list[tuple[Any, ...]] = [
        (
            new_id(),
            invoice.id,
            ordinal,
            line.kind.value,
            line.description,
            line.price_id,
            None if line.metered_period is None else line.metered_period.id,
            line.period.start,
            line.period.end,
            None if line.rating is None else line.rating.consumed,
            None if line.rating is None else line.rating.credited,
            None if line.rating is None else line.rating.billable,
            line.amount,
            None
            if line.metered_period is None or line.metered_period.usage is None
            else line.metered_period.usage.position,
        )
        for invoice in invoices
        for ordinal, line in enumerate(invoice.lines)
    ]
    await transaction.run(
        """
        INSERT INTO invoice_line (
            organization_id, id, invoice_id, ordinal, kind, description, product_price_id,
            metered_period_id, period_start, period_end, consumed, credited, billable, amount,
            position
        )
        SELECT $1, line.*
        FROM unnest(
            $2::uuid[], $3::uuid[], $4::int[], $5::text[], $6::text[], $7::uuid[], $8::uuid[],
            $9::timestamptz[], $10::timestamptz[], $11::numeric[], $12::numeric[], $13::numeric[],
            $14::numeric[], $15::bigint[]
        ) AS line
        """,
        *(list(column) for column in zip(*rows, strict=True)),
    )


async def _mark_billed(transaction: BillingTransaction, lines: Sequence[Line]) -> None:
    """Adds the lines to what was billed for their periods."""
    await transaction.run(
        """
        UPDATE metered_period AS kept
        SET billed_consumed = coalesce(kept.billed_consumed, 0) + line.consumed,
            billed_credited = coalesce(kept.billed_credited, 0) + line.credited,
            billed_billable = coalesce(kept.billed_billable, 0) + line.billable,
            billed_amount = coalesce(kept.billed_amount, 0) + line.amount,
            needs_correction = false
        FROM unnest($2::uuid[], $3::numeric[], $4::numeric[], $5::numeric[], $6::numeric[])
            AS line (period_id, consumed, credited, billable, amount)
        WHERE kept.organization_id = $1 AND kept.id = line.period_id
        """,
        *columns(
            [
                (line.metered_period.id, line.rating)
                for line in lines
                if line.metered_period and line.rating
            ],
            lambda said: said[0],
            lambda said: said[1].consumed,
            lambda said: said[1].credited,
            lambda said: said[1].billable,
            lambda said: said[1].amount,
        ),
    )


async def _mark_periods(
    transaction: BillingTransaction, bills: Sequence[Bill], invoice_ids: Mapping[UUID, UUID]
) -> None:
    """Marks the periods that waited for these bills as invoiced."""
    periods = [bill for bill in bills if bill.period_id is not None]
    if periods:
        await transaction.run(
            """
            UPDATE subscription_period AS kept
            SET invoiced_at = $2, invoice_id = billed.invoice_id
            FROM unnest($3::uuid[], $4::uuid[]) AS billed (id, invoice_id)
            WHERE kept.organization_id = $1 AND kept.id = billed.id
            """,
            transaction.now,
            *columns(
                periods,
                lambda bill: bill.period_id,
                lambda bill: invoice_ids.get(bill.subscription_id),
            ),
        )

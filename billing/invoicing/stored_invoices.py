"""Stores issued invoices, which are numbered without gaps, and marks what they billed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from billing.invoicing.balances import subtotal
from billing.periods.store import stored_rates
from billing.rating.lines import Line, total
from billing.rating.steps import steps_to_json
from billing.transaction import BillingTransaction, columns
from models import exact_json
from models.identifiers import new_id


@dataclass(frozen=True, slots=True)
class NewInvoice:
    """An invoice to be issued. A draft with its id becomes that invoice."""

    id: UUID
    customer_id: UUID
    subscription_id: UUID
    currency: str
    lines: Sequence[Line]


async def store_invoices(transaction: BillingTransaction, invoices: Sequence[NewInvoice]) -> None:
    """Issues invoices: each gets the next number, and its lines."""
    first = await _take_numbers(transaction, len(invoices))
    await _insert_invoices(transaction, invoices, first)
    await _insert_lines(transaction, invoices)


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
    transaction: BillingTransaction, invoices: Sequence[NewInvoice], first: int
) -> None:
    await transaction.run(
        """
        INSERT INTO invoice AS kept (
            organization_id, status, position, issued_at, id, sequence, customer_id,
            subscription_id, currency, total, balance_used, due_at
        )
        SELECT $1, 'ISSUED', $2, $3::timestamptz, invoice.*,
               CASE WHEN invoice.total > 0
                    THEN $3::timestamptz + organization.payment_term_days * interval '24 hours' END
        FROM unnest($4::uuid[], $5::bigint[], $6::uuid[], $7::uuid[], $8::text[], $9::numeric[],
                    $10::numeric[])
            AS invoice (id, sequence, customer_id, subscription_id, currency, total, balance_used)
        JOIN organization ON organization.id = $1
        ON CONFLICT (organization_id, id) DO UPDATE
        SET status = excluded.status, position = excluded.position, issued_at = excluded.issued_at,
            sequence = excluded.sequence, currency = excluded.currency, total = excluded.total,
            balance_used = excluded.balance_used, due_at = excluded.due_at
        WHERE kept.status = 'DRAFT'
        """,
        transaction.head,
        transaction.now,
        *columns(
            enumerate(invoices, first),
            lambda numbered: numbered[1].id,
            lambda numbered: numbered[0],
            lambda numbered: numbered[1].customer_id,
            lambda numbered: numbered[1].subscription_id,
            lambda numbered: numbered[1].currency,
            lambda numbered: total(numbered[1].lines),
            lambda numbered: subtotal(numbered[1].lines) - total(numbered[1].lines),
        ),
    )


async def _insert_lines(transaction: BillingTransaction, invoices: Sequence[NewInvoice]) -> None:
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
            line.converted,
            line.rate,
            line.amount,
            None
            if line.metered_period is None or line.metered_period.usage is None
            else line.metered_period.usage.position,
            exact_json.dumps(steps_to_json(line.steps)) if line.steps else None,
        )
        for invoice in invoices
        for ordinal, line in enumerate(invoice.lines)
    ]
    await transaction.run(
        """
        INSERT INTO invoice_line (
            organization_id, id, invoice_id, ordinal, kind, description, product_price_id,
            metered_period_id, period_start, period_end, consumed, credited, billable, converted,
            rate, amount, position, steps
        )
        SELECT $1, line.*
        FROM unnest(
            $2::uuid[], $3::uuid[], $4::int[], $5::text[], $6::text[], $7::uuid[], $8::uuid[],
            $9::timestamptz[], $10::timestamptz[], $11::numeric[], $12::numeric[], $13::numeric[],
            $14::numeric[], $15::smallint[], $16::numeric[], $17::bigint[], $18::jsonb[]
        ) AS line
        """,
        *(list(column) for column in zip(*rows, strict=True)),
    )


async def mark_billed(transaction: BillingTransaction, lines: Sequence[Line]) -> None:
    """Stores what has been billed for the periods of lines: all that they cost now."""
    rated = {
        line.metered_period.id: line.rated for line in lines if line.metered_period and line.rated
    }
    if not rated:
        return
    await transaction.run(
        """
        UPDATE metered_period AS kept
        SET billed_consumed = rated.consumed, billed_credited = rated.credited,
            billed_billable = rated.billable, billed_amount = rated.amount,
            billed_rates = rated.rates::jsonb, needs_correction = false
        FROM unnest(
            $2::uuid[], $3::numeric[], $4::numeric[], $5::numeric[], $6::numeric[], $7::text[]
        ) AS rated (period_id, consumed, credited, billable, amount, rates)
        WHERE kept.organization_id = $1 AND kept.id = rated.period_id
        """,
        *columns(
            rated.items(),
            lambda pair: pair[0],
            lambda pair: pair[1].consumed,
            lambda pair: pair[1].credited,
            lambda pair: pair[1].billable,
            lambda pair: pair[1].amount,
            lambda pair: stored_rates(pair[1]),
        ),
    )


async def mark_periods(
    transaction: BillingTransaction, invoices: Mapping[UUID, UUID | None]
) -> None:
    """Marks periods as invoiced, by their ids. A period with nothing to bill has no invoice."""
    if invoices:
        await transaction.run(
            """
            UPDATE subscription_period AS kept
            SET invoiced_at = $2, invoice_id = billed.invoice_id
            FROM unnest($3::uuid[], $4::uuid[]) AS billed (id, invoice_id)
            WHERE kept.organization_id = $1 AND kept.id = billed.id
            """,
            transaction.now,
            *columns(invoices.items(), lambda pair: pair[0], lambda pair: pair[1]),
        )


async def delete_drafts(transaction: BillingTransaction, draft_ids: Sequence[UUID]) -> None:
    """Deletes drafts that turned out to have nothing on them."""
    if draft_ids:
        await transaction.run(
            "DELETE FROM invoice WHERE organization_id = $1 AND id = ANY($2::uuid[])"
            " AND status = 'DRAFT'",
            list(draft_ids),
        )

"""What customers were really billed for a range of time.

A line whose period is only partly in the range counts in proportion to time. Discounts and credit
notes take the same part off an invoice's lines in the range as off all others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from billing.simulations.simulation import Simulation


@dataclass(frozen=True, slots=True)
class Billed:
    """What a customer was billed, in minor units, and whether anything was."""

    amount: int = 0
    is_any: bool = False


NOT_BILLED = Billed()

# `div` is exact, so a half is rounded away from zero as it is everywhere else.
_PART = """
    sign({amount}) * div(2 * abs({amount}) * {part} + {whole}, 2 * {whole})
"""

_MICROSECONDS = "(extract(epoch FROM {to}) - extract(epoch FROM {start})) * 1000000"

_BILLED = f"""
WITH found AS MATERIALIZED (
    SELECT invoice.id, invoice.customer_id, line.kind, line.amount,
           line.period_start, line.period_end,
           line.kind <> 'DISCOUNT' AND ($7::uuid IS NULL OR price.product_id = $7)
               AND CASE WHEN line.period_end > line.period_start
                        THEN line.period_start < $5 AND line.period_end > $4
                        ELSE line.period_start >= $4 AND line.period_start < $5
                   END AS is_in
    FROM invoice
    JOIN invoice_line line ON line.organization_id = $1 AND line.invoice_id = invoice.id
    JOIN product_price price
        ON price.organization_id = $1 AND price.id = line.product_price_id
    WHERE invoice.organization_id = $1 AND invoice.customer_id = ANY($2::uuid[])
      AND invoice.currency = $3 AND invoice.status <> 'DRAFT' AND invoice.issued_at <= $6
      AND (invoice.voided_at IS NULL OR invoice.voided_at > $6)
      AND line.kind <> 'BALANCE'
), of_invoice AS (
    SELECT id, customer_id,
           coalesce(sum(amount) FILTER (WHERE kind <> 'DISCOUNT'), 0) AS charged,
           coalesce(sum(amount) FILTER (WHERE kind = 'DISCOUNT'), 0) AS discount,
           coalesce(sum(
               CASE WHEN period_start >= $4 AND period_end <= $5 THEN amount
                    ELSE {
    _PART.format(
        amount="amount",
        part=_MICROSECONDS.format(
            to="least(period_end, $5)", start="greatest(period_start, $4)"
        ).join("()"),
        whole=_MICROSECONDS.format(to="period_end", start="period_start").join("()"),
    )
} END
           ) FILTER (WHERE is_in), 0) AS part
    FROM found
    GROUP BY id, customer_id
    HAVING bool_or(is_in)
), settled AS (
    SELECT of_invoice.*, discount - coalesce((
        SELECT sum(note.amount) FROM credit_note note
        WHERE note.organization_id = $1 AND note.invoice_id = of_invoice.id
          AND note.issued_at <= $6
    ), 0) AS off
    FROM of_invoice
)
SELECT customer_id, sum(part + CASE
    WHEN charged = 0 OR off = 0 THEN 0
    ELSE sign(off * part * charged)
        * div(2 * abs(off * part) + abs(charged), 2 * abs(charged))
END)::bigint AS amount
FROM settled GROUP BY customer_id
"""


async def billed_amounts(
    connection: BaseDBAsyncClient, simulation: Simulation, customer_ids: Sequence[UUID]
) -> dict[UUID, Billed]:
    """Returns what these customers were billed for the range, if anything, by customer.

    It is what invoices in the simulation's currency said when it was started: with a product, only
    for that product's prices.
    """
    rows = await connection.execute_query_dict(
        _BILLED,
        [
            simulation.organization_id,
            list(customer_ids),
            simulation.currency,
            simulation.start,
            simulation.end,
            simulation.created_at,
            simulation.product_id,
        ],
    )
    return {row["customer_id"]: Billed(row["amount"], is_any=True) for row in rows}

"""Balances: what a customer is owed in a currency, and its next invoices use up.

A balance is the sum of its entries. Whoever adds entries holds the log, so no balance is used
twice, and none falls below zero.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from billing.rating.lines import Line, LineKind, total
from billing.rating.settlements import span_of
from billing.transaction import BillingTransaction, columns
from models.identifiers import new_id

BalanceKey = tuple[UUID, str]
"""A customer and a currency."""


@dataclass(frozen=True, slots=True)
class BalanceChange:
    """An amount, in minor units, that is added to a balance. It is negative if it is used up."""

    key: BalanceKey
    amount: int
    invoice_id: UUID | None = None
    credit_note_id: UUID | None = None


async def balances(
    connection: BaseDBAsyncClient, organization_id: UUID, customer_ids: Iterable[UUID]
) -> dict[BalanceKey, int]:
    """Loads the balances of customers that are not zero, in minor units."""
    rows = await connection.execute_query_dict(
        """
        SELECT customer_id, currency, sum(amount) AS amount FROM balance_entry
        WHERE organization_id = $1 AND customer_id = ANY($2::uuid[])
        GROUP BY customer_id, currency HAVING sum(amount) <> 0
        ORDER BY customer_id, currency
        """,
        [organization_id, list(set(customer_ids))],
    )
    return {(row["customer_id"], row["currency"]): int(row["amount"]) for row in rows}


async def change_balances(
    transaction: BillingTransaction, changes: Sequence[BalanceChange]
) -> None:
    """Adds entries to balances."""
    if changes:
        await transaction.run(
            """
            INSERT INTO balance_entry (
                organization_id, created_at, id, customer_id, currency, amount, invoice_id,
                credit_note_id
            )
            SELECT $1, $2, entry.*
            FROM unnest(
                $3::uuid[], $4::uuid[], $5::text[], $6::numeric[], $7::uuid[], $8::uuid[]
            ) AS entry
            """,
            transaction.now,
            *columns(
                changes,
                lambda _change: new_id(),
                lambda change: change.key[0],
                lambda change: change.key[1],
                lambda change: change.amount,
                lambda change: change.invoice_id,
                lambda change: change.credit_note_id,
            ),
        )


def balance_lines(lines: Sequence[Line], balance: int) -> list[Line]:
    """Returns the line by which an invoice uses up a balance; none if there is nothing to use."""
    used = min(balance, total(lines))
    if used <= 0:
        return []
    return [Line(LineKind.BALANCE, "Balance used", lines[0].price_id, span_of(lines), -used)]


def subtotal(lines: Iterable[Line]) -> int:
    """Returns what an invoice charges before it uses a balance, in minor units."""
    return total(line for line in lines if line.kind is not LineKind.BALANCE)

"""Rehearses a cycle or a change: does the real thing in a transaction, and rolls it back.

So a rehearsal and the real thing cannot differ. It holds the log of the organization:
meanwhile, events are stored, but not counted.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from uuid import UUID

from structlog.contextvars import bound_contextvars
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.transactions import in_transaction

from billing.subscriptions.cycle import CycleReport, run_cycle
from metering.counting.log import lock_log


@asynccontextmanager
async def rehearsal(organization_id: UUID) -> AsyncIterator[BaseDBAsyncClient]:
    """Opens a transaction that holds the log of an organization, and is always rolled back."""
    async with in_transaction() as connection:
        # The lock keeps others from issuing invoices until the end.
        await lock_log(connection, organization_id)
        # Log lines say that nothing of this has happened.
        with bound_contextvars(dry_run=True):
            try:
                yield connection
            finally:
                await connection.rollback()


@dataclass(frozen=True, slots=True)
class RehearsedLine:
    """A line of an invoice. `amount` is in minor units."""

    kind: str
    description: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class RehearsedInvoice:
    """An invoice that the cycle would issue. `customer` is an external id, or else an id."""

    customer: str
    currency: str
    total: Decimal
    lines: tuple[RehearsedLine, ...]


async def rehearse_cycle(
    organization_id: UUID, at: datetime, count_waiting: Callable[[UUID], Awaitable[None]]
) -> tuple[CycleReport, list[RehearsedInvoice]]:
    """Returns what `run_cycle` would do in an organization, and the invoices in order.

    Args:
        organization_id: the organization.
        at: as of when.
        count_waiting: counts the waiting events of an organization. This comes first.

    Raises:
        ExceptionGroup: what `run_cycle` raises.
    """
    async with rehearsal(organization_id) as connection:
        issued = await _last_number(connection, organization_id)
        await count_waiting(organization_id)
        report = await run_cycle(at, organization_id)
        return report, await _invoices_after(connection, organization_id, issued)


async def _last_number(connection: BaseDBAsyncClient, organization_id: UUID) -> int:
    rows = await connection.execute_query_dict(
        "SELECT last_sequence FROM invoice_counter WHERE organization_id = $1", [organization_id]
    )
    return rows[0]["last_sequence"] if rows else 0


async def _invoices_after(
    connection: BaseDBAsyncClient, organization_id: UUID, number: int
) -> list[RehearsedInvoice]:
    rows = await connection.execute_query_dict(
        """
        SELECT invoice.sequence, coalesce(customer.external_id, customer.id::text) AS customer,
               invoice.currency, invoice.total, line.kind, line.description, line.amount
        FROM invoice
        JOIN customer
            ON customer.organization_id = $1
           AND customer.id = invoice.customer_id
        JOIN invoice_line line
            ON line.organization_id = $1 AND line.invoice_id = invoice.id
        WHERE invoice.organization_id = $1 AND invoice.sequence > $2
        ORDER BY invoice.sequence, line.ordinal
        """,
        [organization_id, number],
    )
    invoices = []
    for _, of_invoice in groupby(rows, itemgetter("sequence")):
        lines = list(of_invoice)
        invoices.append(
            RehearsedInvoice(
                lines[0]["customer"],
                lines[0]["currency"],
                lines[0]["total"],
                tuple(
                    RehearsedLine(line["kind"], line["description"], line["amount"])
                    for line in lines
                ),
            )
        )
    return invoices

"""What voided invoices billed: which lines the next invoice repeats, and what still counts.

Usage follows from its periods. Everything else, such as a fixed price, is repeated line by line.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from billing.catalog.prices import metered_prices
from billing.periods.intervals import Period
from billing.periods.metered_periods import MeteredPeriod
from billing.periods.rerating import needs_correction
from billing.periods.store import PERIOD_COLUMNS, metered_period_of, stored_rates
from billing.rating.lines import Line, LineKind, MeteredPrice
from billing.rating.pricing import NOTHING_BILLED, Rating, sum_of
from billing.rating.steps import steps_from_json
from billing.transaction import BillingTransaction, columns
from models import exact_json


@dataclass(frozen=True, slots=True)
class Rebilling:
    """Voided invoices of a subscription that the next one bills again, and the lines it repeats."""

    invoice_ids: Sequence[UUID] = ()
    lines: Sequence[Line] = ()


NOTHING_AGAIN = Rebilling()


async def rebillings(
    connection: BaseDBAsyncClient, organization_id: UUID, subscription_ids: Sequence[UUID]
) -> dict[UUID, Rebilling]:
    """Loads what the next invoices bill again, by subscription."""
    rows = await connection.execute_query_dict(
        """
        SELECT invoice.subscription_id, invoice.id AS invoice_id, line.kind, line.description,
               line.product_price_id, line.period_start, line.period_end, line.amount,
               line.steps
        FROM invoice
        LEFT JOIN invoice_line line
            ON line.organization_id = $1 AND line.invoice_id = invoice.id
           AND line.metered_period_id IS NULL AND line.kind <> 'BALANCE'
        WHERE invoice.organization_id = $1 AND invoice.subscription_id = ANY($2::uuid[])
          AND invoice.needs_rebilling
        ORDER BY invoice.sequence, line.ordinal
        """,
        [organization_id, list(subscription_ids)],
    )
    by_subscription: dict[UUID, list[dict[str, Any]]] = {}
    for row in rows:
        by_subscription.setdefault(row["subscription_id"], []).append(row)
    return {
        subscription_id: Rebilling(
            list(dict.fromkeys(row["invoice_id"] for row in found)),
            [_line(row) for row in found if row["kind"] is not None],
        )
        for subscription_id, found in by_subscription.items()
    }


def _line(row: dict[str, Any]) -> Line:
    return Line(
        kind=LineKind(row["kind"]),
        description=row["description"],
        price_id=row["product_price_id"],
        period=Period(row["period_start"], row["period_end"]),
        amount=int(row["amount"]),
        steps=steps_from_json(exact_json.loads(row["steps"] or "[]")),
    )


async def mark_rebilled(transaction: BillingTransaction, invoice_ids: Iterable[UUID]) -> None:
    """Records that these voided invoices have been billed again."""
    ids = list(invoice_ids)
    if ids:
        await transaction.run(
            """
            UPDATE invoice SET needs_rebilling = false
            WHERE organization_id = $1 AND id = ANY($2::uuid[])
            """,
            ids,
        )


async def count_as_unbilled(transaction: BillingTransaction, invoice_id: UUID) -> None:
    """Makes the periods of a voided invoice be billed again, less what other invoices billed."""
    rows = await transaction.rows(
        f"""
        SELECT {PERIOD_COLUMNS} FROM metered_period period
        WHERE period.organization_id = $1
          AND period.id IN (
              SELECT metered_period_id FROM invoice_line
              WHERE organization_id = $1 AND invoice_id = $2
          )
        """,
        invoice_id,
    )
    left = await _billed_elsewhere(transaction, [row["id"] for row in rows])
    prices = await metered_prices(
        transaction.connection,
        transaction.organization_id,
        {row["product_price_id"] for row in rows if row["product_price_id"] is not None},
    )
    periods = [_without_voided(metered_period_of(row), left, prices) for row in rows]
    await transaction.run(
        """
        UPDATE metered_period AS kept
        SET billed_consumed = period.consumed, billed_credited = period.credited,
            billed_billable = period.billable, billed_amount = period.amount,
            needs_correction = period.needs_correction, billed_rates = period.rates::jsonb
        FROM unnest(
            $2::uuid[], $3::numeric[], $4::numeric[], $5::numeric[], $6::numeric[], $7::boolean[],
            $8::text[]
        ) AS period (id, consumed, credited, billable, amount, needs_correction, rates)
        WHERE kept.organization_id = $1 AND kept.id = period.id
        """,
        *columns(
            periods,
            lambda period: period.id,
            lambda period: None if period.billed is None else period.billed.consumed,
            lambda period: None if period.billed is None else period.billed.credited,
            lambda period: None if period.billed is None else period.billed.billable,
            lambda period: None if period.billed is None else period.billed.amount,
            lambda period: needs_correction(period, prices),
            lambda period: stored_rates(period.billed),
        ),
    )


async def _billed_elsewhere(
    transaction: BillingTransaction, period_ids: Sequence[UUID]
) -> dict[UUID, dict[int | None, Rating]]:
    """Returns what invoices that count have billed for periods, by the number of the rate."""
    rows = await transaction.rows(
        """
        SELECT line.metered_period_id, line.rate, sum(line.consumed) AS consumed,
               sum(line.credited) AS credited, sum(line.billable) AS billable,
               sum(line.amount) AS amount
        FROM invoice_line line
        JOIN invoice ON invoice.organization_id = $1 AND invoice.id = line.invoice_id
        WHERE line.organization_id = $1 AND line.metered_period_id = ANY($2::uuid[])
          AND (invoice.status <> 'VOID' OR invoice.is_written_off)
        GROUP BY line.metered_period_id, line.rate
        """,
        list(period_ids),
    )
    found: dict[UUID, dict[int | None, Rating]] = {}
    for row in rows:
        units = (row["consumed"], row["credited"], row["billable"])
        found.setdefault(row["metered_period_id"], {})[row["rate"]] = Rating(
            *units, int(row["amount"])
        )
    return found


def _without_voided(
    period: MeteredPeriod,
    left: Mapping[UUID, Mapping[int | None, Rating]],
    prices: Mapping[UUID, MeteredPrice],
) -> MeteredPeriod:
    billed, by_rate = None, left.get(period.id)
    if by_rate is not None:
        rates = () if period.price_id is None else prices[period.price_id].rate_values
        billed = by_rate.get(None)
        if rates:
            billed = sum_of(
                [by_rate.get(number, NOTHING_BILLED) for number in (*range(len(rates)), None)]
            )
    return replace(period, billed=billed, is_voided=billed is None)

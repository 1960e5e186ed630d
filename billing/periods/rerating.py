"""Rates closed periods again when events arrive late.

Late usage changes what a period consumed and carried over, and so the credit of the periods after
it, up to the open one. Issued invoices never change: the next one has a line for the difference.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from billing.catalog.prices import metered_prices
from billing.periods.billed_meters import (
    CountedMeter,
    asked_period,
    counted_meters,
    usage_by_meter,
)
from billing.periods.metered_periods import MeteredPeriod, PeriodUsage, rerated
from billing.periods.open_credit import settle_credit
from billing.periods.store import (
    COUNTED_FOR_PERIOD,
    PERIOD_COLUMNS,
    metered_period_of,
    update_periods,
)
from billing.rating.lines import MeteredPrice, rating_of
from billing.transaction import STAMPED, BillingTransaction


@dataclass(frozen=True, slots=True)
class Rerating:
    """Periods that were rated again, and those of them that changed."""

    periods: list[MeteredPeriod]
    changed: list[MeteredPeriod]


async def late_periods(
    connection: BaseDBAsyncClient, organization_id: UUID, customer_ids: Sequence[UUID]
) -> list[MeteredPeriod]:
    """Loads the periods of these customers to be rated again, up to the open one.

    The first one ends after the earliest late event, or its meter has counted more since it closed.
    It may be the open one, if a grant has begun or ended in it.
    """
    rows = await connection.execute_query_dict(
        f"""
        WITH begun AS (
            SELECT period.customer_id, period.meter_id,
                   min(CASE WHEN period.closed_at IS NULL THEN 'infinity' ELSE period.ends_at END)
                       AS ends_at
            FROM unnest($2::uuid[]) AS asked (customer_id)
            JOIN metered_period period
                ON period.organization_id = $1 AND period.customer_id = asked.customer_id
            JOIN meter ON meter.organization_id = $1 AND meter.id = period.meter_id
            LEFT JOIN event_log log ON log.organization_id = $1
            LEFT JOIN billing_frontier frontier
                ON frontier.organization_id = $1 AND frontier.customer_id = asked.customer_id
            WHERE CASE WHEN period.closed_at IS NULL THEN period.turned_at ELSE period.ends_at END
                      > frontier.late_from
               OR period.is_behind AND {COUNTED_FOR_PERIOD} > period.position
            GROUP BY period.customer_id, period.meter_id
        )
        SELECT {PERIOD_COLUMNS}
        FROM begun
        JOIN metered_period period
            ON period.organization_id = $1 AND period.customer_id = begun.customer_id
           AND period.meter_id = begun.meter_id
           AND (period.ends_at >= begun.ends_at OR period.closed_at IS NULL)
        ORDER BY period.customer_id, period.meter_id, period.closed_at IS NULL,
                 period.ends_at, period.id
        """,
        [organization_id, list(customer_ids)],
    )
    return [metered_period_of(row) for row in rows]


async def rerating_of(
    connection: BaseDBAsyncClient,
    organization_id: UUID,
    meters: Mapping[UUID, CountedMeter],
    periods: Sequence[MeteredPeriod],
) -> Rerating:
    """Counts the periods of `late_periods` and rates them again. Stores nothing."""
    closed = [period for period in periods if period.usage is not None]
    prices = await metered_prices(
        connection,
        organization_id,
        {period.price_id for period in closed if period.price_id is not None},
    )
    counted = await usage_by_meter(
        connection,
        meters,
        [asked_period(period, meters[period.meter_id], prices) for period in closed],
    )
    usages = {
        period.id: _newest(period.usage, usage)
        for period, usage in zip(closed, counted, strict=True)
        if period.usage is not None
    }
    result = Rerating([], [])
    for consecutive in _by_customer_and_meter(periods):
        now = rerated(consecutive, usages)
        result.periods.extend(now)
        result.changed.extend(
            period for period, before in zip(now, consecutive, strict=True) if period != before
        )
    return result


def _newest(known: PeriodUsage, counted: PeriodUsage) -> PeriodUsage:
    """Returns the usage that was counted; what is known if the meter's dimensions start over.

    A later run rates the period again, when they have counted more.
    """
    return counted if counted.position >= known.position else replace(known, is_behind=True)


async def rerate_late(transaction: BillingTransaction, customer_ids: Iterable[UUID]) -> None:
    """Rates the closed periods of these customers again, and stores the result."""
    asked = list(set(customer_ids))
    periods = await late_periods(transaction.connection, transaction.organization_id, asked)
    if periods:
        meters = await counted_meters(
            transaction.connection,
            transaction.organization_id,
            transaction.head,
            (period.meter_id for period in periods),
        )
        rerating = await rerating_of(
            transaction.connection, transaction.organization_id, meters, periods
        )
        await _store(transaction, rerating)
    await transaction.run(
        """
        UPDATE billing_frontier SET late_from = NULL
        WHERE organization_id = $1 AND customer_id = ANY($2::uuid[]) AND late_from IS NOT NULL
        """,
        asked,
    )


async def _store(transaction: BillingTransaction, rerating: Rerating) -> None:
    prices = await metered_prices(
        transaction.connection,
        transaction.organization_id,
        {period.price_id for period in rerating.changed if period.price_id is not None},
    )
    corrections = {period.id for period in rerating.changed if needs_correction(period, prices)}
    await update_periods(transaction, rerating.changed, corrections)
    await _release_invoices(
        transaction,
        (period.subscription_id for period in rerating.changed if period.subscription_id),
    )
    changed = {period.id for period in rerating.changed}
    # If grants cut the open period, late usage of an earlier piece changes its credit.
    opened = [
        period
        for period in rerating.periods
        if period.usage is None and (period.id in changed or period.cuts)
    ]
    await settle_credit(
        transaction, opened, [period for period in rerating.changed if period.usage is not None]
    )


async def _release_invoices(
    transaction: BillingTransaction, subscription_ids: Iterable[UUID]
) -> None:
    """Lets the cycle try again to invoice these subscriptions."""
    await transaction.run(
        f"""
        UPDATE customer_subscription SET invoicing_problem = NULL, {STAMPED}
        WHERE organization_id = $1 AND id = ANY($2::uuid[]) AND invoicing_problem IS NOT NULL
        """,
        list(set(subscription_ids)),
    )


def needs_correction(period: MeteredPeriod, prices: Mapping[UUID, MeteredPrice]) -> bool:
    """Whether a period was billed for something else than it costs now, or should not be billed."""
    if period.billed is None or period.price_id is None:
        return period.is_voided
    return rating_of(period, prices[period.price_id]) != period.billed


def _by_customer_and_meter(periods: Sequence[MeteredPeriod]) -> list[list[MeteredPeriod]]:
    found: dict[tuple[UUID, UUID], list[MeteredPeriod]] = {}
    for period in periods:
        found.setdefault((period.customer_id, period.meter_id), []).append(period)
    return list(found.values())
